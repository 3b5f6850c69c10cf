import Transport

/// The fault model: what may happen to a run, in the words of docs/simulation.md.
enum Fault: String, CaseIterable {
    case workerDies
    case coordinatorDies
    case allDie
    case powerFails
    case workerFreezes
    case coordinatorFreezes
    case controlDrops
    case controlDropsOften
    case dataLinkDrops
    case directionIsDead
    case callsAreDelayed
    case callsAreRepeated
    case joinsAgain
    case diskFails
    case diskIsFull
    case diskWritesHalf
    case clockJumps
    case memoryChanges
    case operatorStops

    /// As they are drawn: what rarely occurs otherwise, or has a rare effect, is there several times.
    static let drawn = allCases + [.memoryChanges, .memoryChanges, .powerFails, .callsAreRepeated]

    /// A fault that no comparison sees if no other worker has the true state: never together with lost workers.
    var needsOthers: Bool { self == .memoryChanges }
    var losesWorkers: Bool {
        switch self {
        case .diskFails, .diskIsFull, .diskWritesHalf, .memoryChanges: false
        default: true
        }
    }
}

/// What a seed decides.
struct Scenario: CustomStringConvertible {
    let seed: UInt64
    let workers: Int
    /// The host of each worker, in the order of their starts, again and again.
    let hosts: [Int]
    /// By the turn before which they happen; later if there is nothing then to which one could happen.
    let faults: [(turn: Int, fault: Fault)]
    /// Happens to the worker that executes a call.
    var atCall: (target: String, number: Int, moment: SimulatedControlNetwork.Moment, fault: Fault)?

    /// - Parameter turns: of an undisturbed run of three workers.
    init(seed: UInt64, turns: Int) {
        var random = SeededGenerator(seed: seed &* 0x9E37_79B9 &+ 1)
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        self.seed = seed
        let count = number(1...4)
        let oneHost = number(0...1) == 0
        hosts = (0..<4).map { oneHost ? 0 : $0 / 2 }
        let first = Fault.drawn[number(0...(Fault.drawn.count - 1))]
        workers = first.needsOthers ? max(3, count) : count
        let others = Fault.drawn.filter { first.needsOthers ? !$0.losesWorkers && $0 != first : !$0.needsOthers }
        var all = [first]
        for _ in 0..<number(0...5) { all.append(others[number(0...(others.count - 1))]) }
        let last = turns * (workers + 1) / 4
        faults = all.map { (number(0...last), $0) }.sorted { $0.turn < $1.turn }
    }

    /// Without faults.
    init(seed: UInt64, workers: Int, hosts: [Int] = [0, 0, 1, 1]) {
        (self.seed, self.workers, self.hosts, faults) = (seed, workers, hosts, [])
    }

    var description: String {
        "seed \(seed): \(workers) workers; "
            + faults.map { "\($0.fault.rawValue) before turn \($0.turn)" }.joined(separator: ", ")
            + (atCall.map { "\($0.fault.rawValue) when \($0.target) \($0.number) \($0.moment)" } ?? "")
    }
}
