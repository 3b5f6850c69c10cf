internal import Synchronization

/// A sum modulo 2⁶⁴ to which several threads add: in any order the same.
final class SharedSum: Sendable {
    private let total: Atomic<UInt64>

    init(_ value: UInt64 = 0) { total = Atomic(value) }

    func add(_ value: UInt64) { total.wrappingAdd(value, ordering: .relaxed) }

    func reset() { total.store(0, ordering: .sequentiallyConsistent) }

    var value: UInt64 { total.load(ordering: .sequentiallyConsistent) }
}
