internal import Glibc

/// Whether this process may open another file or connection.
package enum FreeDescriptors {
    /// False if all descriptors that the limit allows are in use. libzmq then tries again and again to accept the
    /// connections that wait, which costs a processor, and says nothing.
    package static var areThere: Bool {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            let last = Int32(exactly: limit.rlim_cur).map({ $0 - 1 }), last >= 0
        else { return true }
        // The system gives out the lowest number that is free, so this one comes last.
        if fcntl(last, F_GETFD) < 0, errno == EBADF { return true }
        let copy = dup(last)
        if copy >= 0 { _ = close(copy) }
        return copy >= 0
    }
}
