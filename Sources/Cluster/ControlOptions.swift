package import Transport

/// Settings of a control plane.
package struct ControlOptions: Sendable {
    /// Silence after which a process is lost. Heartbeats are sent at a sixth of this interval.
    package var lossAfter: Duration = .seconds(3)
    /// Time for the answer of a call that names no other limit.
    package var callLimit: Duration = .seconds(10)
    /// Errors that are rethrown at the caller with their own types, in addition to ``ClusterError``.
    package var errors: [any WireError.Type] = []
    /// Keys that may connect; removed ones are disconnected. Nil without encryption.
    package var allowList: AllowList?
    /// Called on the socket's thread when a process at the other end expects another key from this one.
    package var expectsAnotherKey: @Sendable () -> Void = {}
    /// Called on the socket's thread when the process at the other end has keys and this one has none, or the reverse.
    package var differsInKeys: @Sendable () -> Void = {}
    /// Called on the socket's thread of a coordinator as long as this process has no free descriptor: connections to
    /// it wait then.
    package var lacksDescriptors: @Sendable () -> Void = {}
    /// Maximum size of arguments or of a result, in bytes.
    package var largestCall = 4 << 20

    package init() {}
}

/// The state of a worker's connection to its coordinator.
package enum CoordinatorContact: Equatable, Sendable {
    case none
    /// Retried.
    case refused(Refusal)
    case connected

    /// What the end of the last connection before it was established shows.
    package enum Refusal: Equatable, Sendable {
        /// The other end is the expected coordinator, and does not know this worker's key.
        case ownKey
        /// The other end has another key than the expected one, or is not a coordinator.
        case otherKey
        /// One end has keys, the other has none.
        case differsInKeys
    }
}

/// Events of the processes at the other ends.
package enum PeerEvent: Equatable, Sendable {
    /// A process spoke for the first time, or again after it was lost.
    case found(process: String)
    /// The coordinator's end refuses this process: the keys differ, or the other end is not a coordinator. Retried.
    case refused
    /// A connection ended, its process fell silent, or its key was removed from the list; with the generation to which
    /// this process belonged then.
    case lost(process: String, generation: UInt32)
    /// The coordinator was restarted: agreements with its former incarnation must be repeated.
    case coordinatorChanged(incarnation: UInt64)
}
