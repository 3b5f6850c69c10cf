internal import CZeroMQ

/// How one end of a link authenticates.
package enum Security: Sendable {
    /// No encryption and no proof: `ipc` in a private folder, or with `--insecure`.
    case plain
    /// The end that binds. The context's ``Authenticator`` checks keys; without it no peer is admitted.
    case server(KeyPair)
    /// The end that connects, only to the holder of `server`.
    case client(KeyPair, server: PublicKey)
}

/// Settings of a socket, fixed when it is made.
package struct SocketOptions: Sendable {
    package var security: Security = .plain
    /// Messages that may wait in each direction for each peer; beyond that sending fails.
    package var highWaterMark = 1_000
    /// Longest message part accepted; a peer that announces a longer one is disconnected before any memory is allocated
    /// for it.
    ///
    /// libzmq has no other limit for a handshake: this is also the limit for a connection without a proven key.
    package var maximumPartBytes = SocketOptions.longestPart + (1 << 10)
    /// How long closing may continue to send queued messages.
    package var linger: Duration = .seconds(1)
    /// A connection that has not finished its handshake by then is dropped.
    package var handshakeTimeout: Duration = .seconds(3)
    /// Pause between attempts to connect, growing up to a second.
    package var reconnectInterval: Duration = .milliseconds(50)
    /// A TCP connection whose bytes stay unacknowledged for this long is dropped and reconnected; nil leaves it to the
    /// system. Not for links whose reader may pause: a closed window counts as silence.
    package var unacknowledgedLimit: Duration?
    /// Of a socket that binds: whether a client learns that its key is refused. libzmq then gives that connection up,
    /// and the client has to connect again by itself. Otherwise it is dropped without a word, and libzmq retries.
    package var tellsRefusedKeys = false
    /// Queue nothing while there is no connection: sending then fails.
    package var queuesOnlyWhenConnected = false

    package init() {}

    /// Longer messages travel in parts of this many bytes, the size of an exchange's frames.
    package static let longestPart = 128 << 10
}

extension Duration {
    /// Whole milliseconds, rounded up, within libzmq's range.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
