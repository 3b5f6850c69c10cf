internal import Cluster
internal import Console
internal import Dispatch
internal import Foundation
internal import Transport
internal import Wording

/// Reports what a worker waits for while it has no coordinator, and why it is refused.
struct CoordinatorSearch: Sendable {
    let system: ZeroMQActorSystem
    let endpoint: String
    let security: ClusterSecurity
    let timeout: Duration
    /// Whether a person started this worker and watches it: then success is reported, too.
    let isWatched: Bool

    private static let firstWord = Duration.seconds(2)
    private static let pause = Duration.seconds(1)
    private static let repetition = Duration.seconds(30)

    /// Reports after two seconds, whenever the reason changes, and every half minute, until the task is cancelled.
    ///
    /// Silent for sockets of this host, which a launcher creates for all.
    func report() async {
        guard let place = HostAddress(endpoint: endpoint), let port = UInt16(place.port) else { return }
        var (said, saidAt): (String?, ContinuousClock.Instant) = (nil, .now)
        var pause = Self.firstWord
        while (try? await Task.sleep(for: pause)) != nil {
            pause = Self.pause
            guard let line = await line(place.host, port), !Task.isCancelled else { continue }
            if line == said, .now - saidAt < Self.repetition { continue }
            (said, saidAt) = (line, .now)
            sayToUser(line)
        }
    }

    /// Reports to a person who watches this worker.
    func say(_ line: String) { if isWatched { sayToUser(line) } }

    func advice(_ refusal: CoordinatorContact.Refusal) -> RefusalAdvice {
        RefusalAdvice(refusal: refusal, endpoint: endpoint, key: security.keys?.publicKey, file: security.file)
    }

    private func line(_ host: String, _ port: UInt16) async -> String? {
        switch system.contact {
        case .connected:
            return isWatched ? "connected to the coordinator at \(endpoint), which is still preparing the run" : nil
        case .refused(let refusal):
            let advice = self.advice(refusal)
            return "\(advice.cause): \(advice.remedy); retrying for \(Int(timeout.seconds)) s"
        case .none:
            guard let reason = await reason(host, port) else { return nil }
            return
                "waiting for the coordinator: nothing answers at \(endpoint) (\(reason)); trying for "
                + "\(Int(timeout.seconds)) s"
        }
    }

    /// Why the endpoint is not reachable; nil if it is. Runs on a thread that may block.
    private func reason(_ host: String, _ port: UInt16) async -> String? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: TCPProbe.failureToReach(host, port: port, within: .seconds(1)))
            }
        }
    }
}
