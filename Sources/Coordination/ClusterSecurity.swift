internal import Cluster
internal import Foundation
package import Transport
internal import Wording

/// The protection of this process's links: none if they stay on this machine, else CURVE keys.
package struct ClusterSecurity: Sendable {
    /// Own keys; nil for plain links.
    package let keys: KeyPair?
    /// Who may connect to sockets of this process. A worker receives it with each generation.
    let allowList: AllowList
    let control: Security
    let options: ControlOptions
    /// The file of the key ring; nil if a launcher passed it.
    let file: String?

    package static let insecureNotice =
        "--insecure: links between hosts are plain text, and any process that reaches them may join"

    /// Links that stay on this machine, or that the user chose to leave plain.
    static var plain: ClusterSecurity {
        ClusterSecurity(keys: nil, allowList: AllowList(), control: .plain, options: baseOptions, file: nil)
    }

    private static var baseOptions: ControlOptions {
        var options = ControlOptions()
        options.errors = [WorkerFailure.self, JoinRefused.self]
        return options
    }

    /// The coordinator's side of links at `endpoint`.
    /// - Throws: ``InputError`` if keys are required and missing.
    static func coordinator(at endpoint: String, workers: Int, handedOver: KeyRing?, insecure: Bool) throws
        -> ClusterSecurity
    {
        let role = KeySource.Role.coordinator(workers: workers)
        guard
            let (ring, file) = try ring(
                for: "the coordinator's endpoint \(endpoint)", endpoint, role, handedOver, insecure)
        else { return .plain }
        guard !ring.workers.isEmpty else {
            throw InputError(
                "\(file ?? "the key ring") lists no worker's key: give the coordinator's key file, coordinator.key of "
                    + "apus keygen"
            )
        }
        let allowList = AllowList(Set(ring.workers))
        var options = baseOptions
        options.allowList = allowList
        return ClusterSecurity(
            keys: ring.own, allowList: allowList, control: .server(ring.own), options: options, file: file)
    }

    /// A worker's side.
    /// - Parameter rank: nil if no launcher assigned one.
    /// - Throws: ``InputError`` if keys are required and missing.
    package static func worker(of endpoint: String, rank: Int?, handedOver: KeyRing?, insecure: Bool) throws
        -> ClusterSecurity
    {
        guard
            let (ring, file) = try ring(
                for: "the coordinator \(endpoint)", endpoint, .worker(rank: rank), handedOver, insecure)
        else { return .plain }
        guard let coordinator = ring.coordinator else {
            throw InputError(
                "\(file ?? "the key ring") does not name the coordinator's key: give a worker's key file, "
                    + "worker-1.key of apus keygen"
            )
        }
        return ClusterSecurity(
            keys: ring.own, allowList: AllowList([coordinator]), control: .client(ring.own, server: coordinator),
            options: baseOptions, file: file)
    }

    /// The keys for links at `endpoint`; nil if they need none.
    private static func ring(
        for what: String, _ endpoint: String, _ role: KeySource.Role, _ handedOver: KeyRing?, _ insecure: Bool
    ) throws(InputError) -> (ring: KeyRing, file: String?)? {
        if endpoint.hasPrefix("ipc://") || insecure { return nil }
        if let handedOver { return (handedOver, nil) }
        guard let source = try KeySource(role) else {
            throw InputError(
                "\(what) uses a network, which needs keys: make them with apus keygen and set \(KeySource.file), set "
                    + "\(KeySource.secret) for all processes, or give --insecure")
        }
        return (source.ring, source.file)
    }

    /// Begins to authenticate connections to sockets of `context`: before the first of them, and as long as they live.
    /// - Parameter report: called with each refused key.
    func authenticator(in context: Context, report: RefusalReport? = nil) throws -> Authenticator? {
        let file = file
        return keys == nil
            ? nil
            : try Authenticator(in: context, allowList: allowList) { key, address in
                report?.note(.unknownKey(key), from: address, file: file)
            }
    }

    /// Admits the keys that the file lists now; removed ones lose their connections.
    /// - Returns: a line about it.
    func readAgain() -> String {
        guard let file, let keys else { return "there is no key file to reload" }
        do {
            let ring = try KeyFile.read(file)
            guard ring.own.publicKey == keys.publicKey else {
                return "\(file) now has another key pair: the list of workers is unchanged"
            }
            allowList.replace(with: Set(ring.workers))
            return "\(file) was reloaded: \(counted(ring.workers.count, "key")) may connect"
        } catch {
            return "\(error.description); the list of workers is unchanged"
        }
    }
}
