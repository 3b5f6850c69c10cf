internal import Glibc

/// An attempt to connect that does not block.
enum OpenDial {
    case begun(Int32)
    /// With an errno.
    case failed(Int32)

    init(to target: SocketAddress) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let opened = socket(target.family, kind, 0)
        guard opened >= 0 else {
            self = .failed(errno)
            return
        }
        guard unsafe target.withPointer({ unsafe connect(opened, $0, $1) }) == 0 || errno == EINPROGRESS else {
            self = .failed(errno)
            closeDescriptor(opened)
            return
        }
        self = .begun(opened)
    }

    /// What became of an attempt: 0 if the connection is there, else an errno; nil if it is not decided.
    static func outcome(of descriptor: Int32) -> Int32? {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&watched, 1, 0) == 1 else { return nil }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }
}

/// Finds out why a port cannot be reached, which libzmq does not tell: connects beside libzmq's own attempts.
///
/// Its connection is closed at once and brings no byte, so that it stays in the peer's kernel.
final class ReachProbe {
    /// A port that is reached earlier is not probed.
    private static let delay = Duration.seconds(1)
    /// Between two attempts, and between two looks at one.
    static let pause = Duration.milliseconds(200)

    private let target: SocketAddress
    private var descriptor: Int32 = -1
    private var next = ContinuousClock.now + delay

    /// - Returns: nil if the endpoint is not a number's over TCP.
    init?(_ endpoint: String) {
        guard let target = TCPEndpoint(endpoint)?.address else { return nil }
        self.target = target
    }

    deinit { end() }

    private func end() {
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
    }

    /// Goes on.
    /// - Returns: how an attempt ended: 0 if the port was reached, else an errno; nil if none did.
    func look(at now: ContinuousClock.Instant) -> Int32? {
        guard next <= now else { return nil }
        next = now + Self.pause
        if descriptor < 0 {
            switch OpenDial(to: target) {
            case .begun(let opened): descriptor = opened
            case .failed(let code): return code
            }
        }
        guard let code = OpenDial.outcome(of: descriptor) else { return nil }
        end()
        return code
    }
}
