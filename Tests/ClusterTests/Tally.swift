import Distributed

@testable import Cluster

enum TallyError: WireError, Equatable {
    case negative(Int)

    static var wireName: String { "tally-error" }
}

struct Unregistered: Error {}

/// An actor of the tests: it adds, refuses, fails and waits, over any system.
distributed actor Tally<ActorSystem> where ActorSystem: DistributedActorSystem<any Codable> {
    private var total = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(actorSystem: ActorSystem) { self.actorSystem = actorSystem }

    distributed func add(_ amount: Int) throws -> Int {
        guard amount >= 0 else { throw TallyError.negative(amount) }
        total += amount
        return total
    }

    distributed func clear() { total = 0 }

    distributed func fail() throws { throw Unregistered() }

    distributed func echo(_ values: [Double], _ text: String) -> [Double] { text.isEmpty ? [] : values }

    /// Waits for a call of ``release()``.
    distributed func hold() async {
        await withCheckedContinuation { waiters.append($0) }
    }

    /// The same, and returns its argument.
    distributed func holdAndReturn(_ amount: Int) async -> Int {
        await withCheckedContinuation { waiters.append($0) }
        return amount
    }

    /// Ends the longest wait.
    distributed func releaseFirst() { waiters.removeFirst().resume() }

    distributed func waiting() -> Int { waiters.count }

    /// Waits until the task that executes this call is cancelled.
    distributed func holdUntilCancelled() async -> Bool {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        return Task.isCancelled
    }

    distributed func release() -> Int {
        for waiter in waiters { waiter.resume() }
        defer { waiters = [] }
        return waiters.count
    }
}

extension Tally: NamedCalls {
    static var wireName: String { "tally" }

    nonisolated func answer(_ call: inout IncomingCall) async throws -> CallResult? {
        switch call.function {
        case "add": return try CallResult(await add(call.argument()))
        case "clear": try await clear()
        case "fail": try await fail()
        case "echo": return try CallResult(await echo(call.argument(), call.argument()))
        case "hold": try await hold()
        case "holdAndReturn": return try CallResult(await holdAndReturn(call.argument()))
        case "releaseFirst": try await releaseFirst()
        case "waiting": return try CallResult(await waiting())
        case "holdUntilCancelled": return try CallResult(await holdUntilCancelled())
        case "release": return try CallResult(await release())
        default: return nil
        }
        return .nothing
    }
}

distributed actor Other {
    typealias ActorSystem = ZeroMQActorSystem

    distributed func add(_ amount: Int) -> Int { -amount }
}

extension Other: NamedCalls {
    static var wireName: String { "other" }

    nonisolated func answer(_ call: inout IncomingCall) async throws -> CallResult? {
        call.function == "add" ? try CallResult(await add(call.argument())) : nil
    }
}
