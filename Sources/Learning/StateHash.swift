package import Kernels
internal import Tensors

/// The hash of a training state: it must be equal on all workers before a step counts, for any number of threads.
///
/// The step is part of it: the same weights under another step are another state, so that a wrong step number is
/// detected.
package enum StateHash {
    /// The hash of the state after `step` with these position sums of all parameters and of all moments.
    package static func of(_ sums: PositionSum.Pair, _ touched: TouchedRows, step: Int) -> UInt64 {
        let rows = touched.words.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ mixed($1)) &* 0x100_0000_01B3 }
        let moments = mixed(sums.moments ^ 0x9E37_79B9_7F4A_7C15)
        let label = mixed(UInt64(bitPattern: Int64(step)) &+ 0xD1B5_4A32_D192_ED03)
        return mixed(mixed(sums.parameters) ^ (moments << 1 | moments >> 63) ^ mixed(rows) ^ label)
    }

    /// The hash of a whole state after `step`, read from memory.
    package static func of(_ state: TrainingState, step: Int, threads: Int) -> UInt64 {
        of(
            PositionSum.Pair(
                parameters: sum(state.parameters.view, from: 0, .parameters, threads: threads),
                moments: sum(state.first.view, from: 0, .firstMoments, threads: threads)
                    &+ sum(state.second.view, from: 0, .secondMoments, threads: threads)),
            state.touched, step: step)
    }

    /// A position sum computed by several threads.
    static func sum(_ values: FloatView, from position: Int, _ kind: PositionSum.Kind, threads: Int) -> UInt64 {
        let size = 64 * BlockSum.size
        let total = SharedSum()
        inParallel((values.count + size - 1) / size, threads: threads) { piece in
            let range = (piece * size)..<min((piece + 1) * size, values.count)
            total.add(PositionSum.of(values[range], from: position + range.lowerBound, kind))
        }
        return total.value
    }

    /// The finalizer of SplitMix64.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
