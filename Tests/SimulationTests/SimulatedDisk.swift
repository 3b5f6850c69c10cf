import Foundation

@testable import Files

/// The disk of the simulated coordinators.
final class SimulatedDisk: @unchecked Sendable {
    enum State: Equatable {
        case works
        /// Each step fails.
        case fails
        /// Files are created, and nothing can be written.
        case isFull
        /// A write takes half, and the next one nothing.
        case writesHalf
    }

    private(set) var state = State.works
    private var changes = 0
    /// Steps that failed.
    private(set) var failures = 0
    private(set) var halfWrites = 0
    fileprivate var wroteHalf = false

    /// - Parameter pause: how long; nil: until it is set again.
    func set(_ state: State, for pause: Duration?, in simulation: Simulation) {
        self.state = state
        changes += 1
        let change = changes
        guard let pause else { return }
        simulation.after(pause) { [self] in if changes == change { self.state = .works } }
    }

    /// The files of one process: those of one that was killed stay as they are.
    struct Steps: FileSteps {
        let disk: SimulatedDisk
        let process: SimulatedProcess

        func before(_ step: String, _ path: String) throws(FileError) {
            guard process.isDead || disk.state == .fails else { return }
            disk.failures += 1
            throw FileError(path, "\(step) was made to fail")
        }

        func room(for count: Int) -> Int {
            guard !process.isDead else { return Int(-EIO) }
            switch disk.state {
            case .works: return count
            case .fails, .isFull:
                disk.failures += 1
                return Int(-ENOSPC)
            case .writesHalf:
                disk.wroteHalf.toggle()
                guard disk.wroteHalf, count > 1 else {
                    disk.failures += 1
                    return Int(-ENOSPC)
                }
                disk.halfWrites += 1
                return count / 2
            }
        }
    }
}
