/// Scratch memory that is allocated in parts and given back all at once.
///
/// After the first steps of a given size an arena allocates nothing: it keeps its chunks. An arena belongs to one
/// thread at a time.
package final class Arena {
    private var chunks: [FloatBuffer] = []
    private var chunk = 0
    private var used = 0
    /// Elements taken now, and the most at one time.
    private var taken = 0
    private var most = 0
    private let chunkSize: Int

    /// - Parameter chunkSize: minimum number of elements of a new chunk.
    package init(chunkSize: Int = 1 << 20) { self.chunkSize = chunkSize }

    /// A position in the arena to return to.
    package struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
        fileprivate let taken: Int
    }

    package var mark: Mark { Mark(chunk: chunk, used: used, taken: taken) }

    /// Gives back everything taken since `mark`.
    package func release(to mark: Mark) { (chunk, used, taken) = (mark.chunk, mark.used, mark.taken) }

    /// Gives back everything. Several chunks, whose ends may be too short for what is taken, are replaced by one.
    package func reset() {
        release(to: Mark(chunk: 0, used: 0, taken: 0))
        guard chunks.count > 1 else { return }
        chunks.removeAll()
        // A little more, so that a somewhat larger batch does not need a second one; unused memory is not resident.
        addChunk(most + most / 8)
    }

    /// `count` elements of unspecified value, aligned to a cache line.
    /// - Complexity: O(1), once chunks of this size exist.
    package func take(_ count: Int) -> FloatView {
        let rounded = (count + 15) / 16 * 16
        while chunk < chunks.count, used + rounded > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count {
            // As much again as there is: few chunks have few ends.
            addChunk(max(rounded, chunkSize, chunks.reduce(0) { $0 + $1.count }))
            used = 0
        }
        defer {
            used += rounded
            taken += rounded
            most = max(most, taken)
        }
        return chunks[chunk].view.part(from: used, count: count)
    }

    private func addChunk(_ size: Int) { chunks.append(FloatBuffer(count: size, whole: size)) }

    /// The most bytes taken at one time.
    package var mostBytes: Int { most * MemoryLayout<Float>.stride }
}
