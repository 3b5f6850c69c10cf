/// The address of a distributed actor: a process, and a name within it.
package struct ActorAddress: Hashable, Codable, Sendable, CustomStringConvertible {
    /// `coordinator`, or `worker-` and a random number.
    package var process: String
    package var name: String

    package init(process: String, name: String) {
        self.process = process
        self.name = name
    }

    package var description: String { "\(process)/\(name)" }
}
