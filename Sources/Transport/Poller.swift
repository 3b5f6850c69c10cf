internal import CZeroMQ
internal import Glibc

/// Waits until one of several sockets or wake-ups is ready.
///
/// Belongs to the thread of its sockets. Indices are given in the order of adding.
@safe
package final class Poller {
    private var items: [zmq_pollitem_t]
    private var sockets: [SocketHandle?] = []
    /// The kernel's view of each, from the first ``waitForNews(until:)`` on.
    private var descriptors: [pollfd] = []

    package init() { unsafe items = [] }

    /// Watches `socket` for incoming messages, and returns its index.
    @discardableResult
    package func add(_ socket: borrowing Socket) -> Int {
        unsafe items.append(zmq_pollitem_t(socket: socket.handle.raw, fd: -1, events: Int16(ZMQ_POLLIN), revents: 0))
        sockets.append(socket.handle)
        return sockets.count - 1
    }

    /// Watches `wakeup`, and returns its index.
    @discardableResult
    package func add(_ wakeup: Wakeup) -> Int { add(wakeup.descriptor) }

    /// Watches a descriptor of the system for incoming bytes, and returns its index.
    func add(_ descriptor: Int32) -> Int {
        unsafe items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
        sockets.append(nil)
        return sockets.count - 1
    }

    /// Whether `index` is watched for incoming messages, and whether for space to send.
    package func watch(_ index: Int, incoming: Bool, room: Bool) {
        unsafe items[index].events = Int16((incoming ? ZMQ_POLLIN : 0) | (room ? ZMQ_POLLOUT : 0))
    }

    /// Waits for any watched event, at most until `deadline`.
    /// - Returns: false if the deadline passed first.
    package func wait(until deadline: ContinuousClock.Instant?) throws(ZeroMQError) -> Bool {
        while true {
            let limit = deadline.map { Int(max($0 - .now, .zero).milliseconds) } ?? -1
            let result = unsafe zmq_poll(&items, Int32(items.count), limit)
            if result > 0 { return true }
            if result < 0 && zmq_errno() != EINTR { throw ZeroMQError.last("waiting for sockets") }
            if result == 0, let deadline, deadline <= .now { return false }
        }
    }

    /// Waits for new events with one system call instead of libzmq's several per socket.
    ///
    /// Every watched socket must have been read until it was empty, after any other operation on it: libzmq signals
    /// only once.
    package func waitForNews(until deadline: ContinuousClock.Instant) throws(ZeroMQError) {
        for (index, handle) in sockets.enumerated().dropFirst(descriptors.count) {
            let descriptor = unsafe try handle?.descriptor() ?? items[index].fd
            descriptors.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        }
        let limit = max(deadline - .now, .zero).milliseconds
        let result = unsafe poll(&descriptors, nfds_t(descriptors.count), limit)
        if result < 0 && errno != EINTR { throw ZeroMQError(operation: "waiting for sockets", code: errno) }
        for index in unsafe items.indices { unsafe items[index].revents = result > 0 ? descriptors[index].revents : 0 }
    }

    /// Whether the last wait found `index` ready, in either direction.
    package func isReady(_ index: Int) -> Bool { unsafe items[index].revents != 0 }

    /// Whether the last wait found that the connection of a descriptor has failed, which it also finds unwatched.
    func hasFailed(_ index: Int) -> Bool { unsafe items[index].revents & Int16(ZMQ_POLLERR) != 0 }
}
