@testable import Cluster

/// The connections of the simulated control plane, a star of the coordinator and its workers.
///
/// Messages of one direction of a connection keep their order; a connection that ends loses those on their way.
final class SimulatedControlNetwork: @unchecked Sendable {
    enum Message {
        case greeting
        case call(
            number: UInt64, settledBelow: UInt64, target: String, payload: [UInt8], generation: UInt32,
            incarnation: UInt64)
        /// A byte that says whether the call succeeded, and its result or error.
        case answer(number: UInt64, bytes: [UInt8])
    }

    /// What faults did to messages.
    enum Effect: CaseIterable {
        case lostCall, lostAnswer, delayed, repeatedCall, repeatedAnswer
    }

    private struct Wire {
        /// Of the connection; nil while there is none.
        var connection: Int?
        var isGone = false
        /// When the newest message of each direction arrives: to the worker, and from it.
        var newest = [Duration.zero, .zero]
        var delayedUntil = Duration.zero
    }

    static let lossAfter = Duration.seconds(3)
    let simulation: Simulation
    private var systems: [String: SimulatedControl] = [:]
    private var wires: [String: Wire] = [:]
    private var connections = 0
    private var repeatedUntil = Duration.zero
    private(set) var effects: [Effect: Int] = [:]
    /// Called when a process is about to execute a call, and to answer it.
    var onCall: (_ process: String, _ target: String, _ moment: Moment) -> Void = { _, _, _ in }

    /// Called with what no fault explains.
    var complain: (String) -> Void = { _ in }

    enum Moment { case arrives, isAnswered }

    init(_ simulation: Simulation) { self.simulation = simulation }

    func count(_ effect: Effect) { effects[effect, default: 0] += 1 }

    var openCalls: Int { systems.values.reduce(0) { $0 + ($1.own.isDead ? 0 : $1.openCalls) } }

    func isConnected(_ worker: String) -> Bool { wires[worker]?.connection != nil }

    /// A process begins. Workers connect to it, or it to the coordinator.
    func add(_ system: SimulatedControl) {
        systems[system.process] = system
        if system.isCoordinator {
            for worker in wires.keys.sorted() { connect(worker) }
        } else {
            wires[system.process] = Wire()
            connect(system.process)
        }
        system.own.atDeath.append { [self] in died(system) }
    }

    private func died(_ system: SimulatedControl) {
        if system.isCoordinator {
            for worker in wires.keys.sorted() { drop(worker) }
        } else {
            drop(system.process)
            wires[system.process]?.isGone = true
        }
        if systems[system.process] === system { systems[system.process] = nil }
    }

    /// Tries until both ends are there.
    private func connect(_ worker: String) {
        simulation.after(simulation.milliseconds(10...300)) { [self] in
            guard let wire = wires[worker], wire.connection == nil, !wire.isGone, systems["coordinator"] != nil else {
                return
            }
            connections += 1
            wires[worker]?.connection = connections
            wires[worker]?.newest = [.zero, .zero]
            systems[worker]?.connected(to: "coordinator")
        }
    }

    /// The connection ends. Each end notices by itself, at once or by the silence; the worker connects again.
    func drop(_ worker: String) {
        guard let connection = wires[worker]?.connection else { return }
        wires[worker]?.connection = nil
        for (end, other) in [("coordinator", worker), (worker, "coordinator")] {
            guard let system = systems[end] else { continue }
            let isSilent = simulation.number(0...3) == 0
            let pause = isSilent ? Self.lossAfter : simulation.milliseconds(0...5)
            simulation.after(pause, in: system.own) { system.lose(other, connection: connection) }
        }
        connect(worker)
    }

    /// A process has been silent for long.
    func fellSilent(_ process: String) {
        for worker in wires.keys.sorted() {
            guard let connection = wires[worker]?.connection else { continue }
            if process == "coordinator" {
                systems[worker]?.lose("coordinator", connection: connection)
            } else if process == worker {
                systems["coordinator"]?.lose(worker, connection: connection)
            }
        }
    }

    /// A process that was silent sends its heartbeats again.
    func beat(_ process: String) {
        guard let system = systems[process] else { return }
        for worker in wires.keys.sorted() where system.isCoordinator || worker == process {
            send(.greeting, from: system, to: system.isCoordinator ? worker : "coordinator")
        }
    }

    /// The coordinator executes a worker's newest request to join once more, as if it had come again.
    /// - Returns: whether there was one.
    func repeatJoining(of worker: String) -> Bool {
        guard let coordinator = systems["coordinator"] else { return false }
        return coordinator.executeJoiningAgain(of: worker)
    }

    /// Everything of one worker's connection takes seconds for a while.
    func delay(_ worker: String, for pause: Duration) { wires[worker]?.delayedUntil = simulation.time + pause }

    /// Every call is sent twice for a while.
    func repeatCalls(for pause: Duration) { repeatedUntil = simulation.time + pause }

    func send(_ message: Message, from sender: SimulatedControl, to receiver: String) {
        guard !sender.own.isDead else { return }
        let worker = sender.isCoordinator ? receiver : sender.process
        guard let wire = wires[worker], let connection = wire.connection else { return }
        let direction = sender.isCoordinator ? 0 : 1
        func deliver(after least: Duration) {
            let pause: Duration
            if simulation.time < wire.delayedUntil {
                count(.delayed)
                pause = simulation.milliseconds(500...4_000)
            } else {
                pause = .microseconds(simulation.number(50...2_000))
            }
            let due = max(simulation.time + pause + least, wires[worker]?.newest[direction] ?? .zero)
            wires[worker]?.newest[direction] = due
            let incarnation = sender.isCoordinator ? sender.incarnation : 0
            let name = sender.process
            guard let target = systems[receiver] else { return }
            simulation.after(due - simulation.time, in: target.own) { [self] in
                guard wires[worker]?.connection == connection, systems[receiver] === target else {
                    switch message {
                    case .call: count(.lostCall)
                    case .answer: count(.lostAnswer)
                    case .greeting: break
                    }
                    return
                }
                target.arrived(message, from: name, incarnation: incarnation, connection: connection)
            }
        }
        deliver(after: .zero)
        if case .call = message, simulation.time < repeatedUntil {
            // Also while the first one is executed.
            deliver(after: simulation.number(0...1) == 0 ? .zero : simulation.milliseconds(0...400))
        }
    }
}
