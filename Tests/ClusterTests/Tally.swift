import Distributed

@testable import Cluster

enum TallyError: Error, Codable, Equatable {
    case negative(Int)
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
    distributed func hold(_ amount: Int) async -> Int {
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

distributed actor Other {
    typealias ActorSystem = ZeroMQActorSystem

    distributed func add(_ amount: Int) -> Int { -amount }
}
