internal import Kernels
package import Tensors

/// Lists and memory that a lane's passes use, kept from step to step so that a step does not allocate.
///
/// Used by one thread at a time. A list that is still referenced elsewhere is copied before it changes.
package final class LaneMemory {
    /// The batches of several lanes, packed together.
    package var joined = PackedBatch()
    var allRows = ReadRows()
    var chosenRows = ReadRows()
    var layers: [KeptLayer] = []
    var positionGroups = TokenGroups()
    var typeGroups = TokenGroups()
    var wordGroups = TokenGroups()
    /// For what a pass over one layer needs and the next layer overwrites.
    package let scratch = Arena()
    /// Where the lane's word rows come from.
    let spareRows: SparseRowPool

    package init(spareRows: SparseRowPool = SparseRowPool()) { self.spareRows = spareRows }
}
