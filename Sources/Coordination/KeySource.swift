internal import Foundation
internal import Hashes
internal import Runs
package import Transport
package import Wording

/// Where a process that was not started by apus launch finds its keys.
///
/// The first of these that is set: `APUS_KEY_FILE`, this process's own key file; `APUS_KEY_FOLDER`, a folder of
/// `apus keygen` on a file system that all hosts share; `APUS_SECRET`, a text that all processes of the run have, from
/// which each derives every key.
package struct KeySource: Sendable {
    /// Whose keys they are.
    package enum Role: Equatable, Sendable {
        case coordinator(workers: Int)
        /// Nil if no launcher gave a rank.
        case worker(rank: Int?)
    }

    package let ring: KeyRing
    /// Nil if they are not in a file.
    package let file: String?

    package static let file = KeyVariables.file
    package static let folder = KeyVariables.folder
    package static let secret = KeyVariables.secret
    private static let shortestSecret = 32

    /// - Returns: nil if none of the variables is set.
    /// - Throws: ``InputError`` if one is set and gives no key.
    package init?(_ role: Role, environment: [String: String] = ProcessInfo.processInfo.environment) throws(InputError)
    {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value(Self.file) {
            self = try Self.read(path, named: Self.file)
        } else if let folder = value(Self.folder) {
            self = try Self.read(folder, role)
        } else if let secret = value(Self.secret) {
            self = try Self.derive(secret, role)
        } else {
            return nil
        }
    }

    private init(ring: KeyRing, file: String?) {
        self.ring = ring
        self.file = file
    }

    private static func read(_ path: String, named variable: String) throws(InputError) -> KeySource {
        do { return KeySource(ring: try KeyFile.read(path), file: path) } catch {
            throw InputError("\(variable): \(error.description)")
        }
    }

    private static func read(_ folder: String, _ role: Role) throws(InputError) -> KeySource {
        let name: String
        switch role {
        case .coordinator: name = "coordinator.key"
        case .worker(let rank?): name = "worker-\(rank + 1).key"
        case .worker(nil):
            throw InputError(
                "\(Self.folder) is set, but no launcher says which rank this is: set \(file) to this worker's own key "
                    + "file"
            )
        }
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw InputError(
                "\(Self.folder): \(path) is not on host \(ProcessInfo.processInfo.hostName): create the folder with "
                    + "apus keygen --workers for all ranks, "
                    + "on a file system that all hosts share")
        }
        return try read(path, named: Self.folder)
    }

    // MARK: A secret for all

    private static func derive(_ secret: String, _ role: Role) throws(InputError) -> KeySource {
        guard secret.utf8.count >= shortestSecret else {
            throw InputError(
                "\(Self.secret) has \(secret.utf8.count) characters, must have at least \(shortestSecret) random "
                    + "ones: try openssl rand -hex 32"
            )
        }
        let coordinator = pair(secret, "coordinator")
        switch role {
        case .coordinator(let workers):
            let keys = (0..<workers).map { pair(secret, "worker \($0)").publicKey }
            return KeySource(ring: KeyRing(own: coordinator, workers: keys), file: nil)
        case .worker(let rank?):
            return KeySource(
                ring: KeyRing(own: pair(secret, "worker \(rank)"), coordinator: coordinator.publicKey), file: nil)
        case .worker(nil):
            throw InputError(
                "\(Self.secret) is set, but no launcher says which rank this is: set RANK, from 0, or \(file)")
        }
    }

    /// The keys of one process of the run.
    private static func pair(_ secret: String, _ process: String) -> KeyPair {
        KeyPair(
            secret: DerivedKey.bytes(secret: Array(secret.utf8), purpose: Array("apus curve \(process)".utf8)))
    }
}
