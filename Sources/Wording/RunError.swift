/// A run that failed: one line with the error, its location and the remedy. `apus` exits 1.
package struct RunError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// A run that a signal ended after its checkpoint. `apus` exits 128 + `signal`.
package struct SignalStop: Error, Equatable, Sendable, CustomStringConvertible {
    package let signal: Int32
    /// How to resume, in one line.
    package let description: String

    package init(signal: Int32, _ description: String) {
        self.signal = signal
        self.description = description
    }
}

/// An error in the user's input, found before any work: its description is one line. `apus` exits 2.
package protocol BadInput: Error, CustomStringConvertible {}

/// The job ended with this status, and its processes have reported why.
package struct ChildStatus: Error, Equatable, Sendable {
    package let status: Int32
    package init(status: Int32) { self.status = status }
}
