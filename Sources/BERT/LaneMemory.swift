internal import Kernels
package import Tensors

/// Lists that a lane's passes use, kept from step to step so that a step asks the heap for none.
///
/// It belongs to one thread at a time. A list that somebody still holds is copied before it changes.
package final class LaneMemory {
    var allRows = ReadRows()
    var chosenRows = ReadRows()
    var layers: [KeptLayer] = []
    var positionGroups = TokenGroups()
    var typeGroups = TokenGroups()
    var wordGroups = TokenGroups()
    /// Where the lane's word rows come from.
    let spareRows: SparseRowPool

    package init(spareRows: SparseRowPool = SparseRowPool()) { self.spareRows = spareRows }
}
