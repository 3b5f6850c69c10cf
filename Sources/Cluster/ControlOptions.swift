package import Transport

/// Settings of a control plane.
package struct ControlOptions: Sendable {
    /// Silence after which a process is lost. Signs of life are sent six times as often.
    package var lossAfter: Duration = .seconds(3)
    /// Time for the answer of a call that names no other limit.
    package var callLimit: Duration = .seconds(10)
    /// Errors that are rethrown at the caller as what they were, beside ``ClusterError``.
    package var errors: [any WireError.Type] = []
    /// Keys that may be connected; those taken off are disconnected. Nil without encryption.
    package var allowList: AllowList?
    /// Called on the socket's thread when a process at the other end turns out to expect another key of this one.
    package var expectsAnotherKey: @Sendable () -> Void = {}
    /// Most bytes of arguments or of a result.
    package var largestCall = 4 << 20

    package init() {}
}

/// How far a worker's connection to its coordinator has come.
package enum CoordinatorContact: Equatable, Sendable {
    case none
    /// The keys differ, or the other end is not a coordinator. Tried again.
    case refused
    case connected
}

/// What happened to the processes at the other ends.
package enum PeerEvent: Equatable, Sendable {
    /// A process spoke for the first time, or again after it was lost.
    case found(process: String)
    /// The coordinator's end refuses this process: the keys differ, or the other end is not a coordinator. Tried again.
    case refused
    /// A connection ended, its process fell silent, or its key was taken off the list; and the generation in which this
    /// process took part then.
    case lost(process: String, generation: UInt32)
    /// The coordinator runs anew: what was agreed with the former run must be agreed again.
    case coordinatorChanged(incarnation: UInt64)
}
