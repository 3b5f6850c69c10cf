internal import CZeroMQ
internal import Glibc

/// A failed libzmq call and the errno that explains it.
package struct ZeroMQError: Error, Equatable, CustomStringConvertible {
    package let operation: String
    package let code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    package var description: String {
        switch code {
        case EADDRINUSE: "\(operation): the address is in use: choose another port, or end the program that uses it"
        case EADDRNOTAVAIL, ENODEV: "\(operation): this machine has no such address: use one of its own, or 0.0.0.0"
        case EACCES: "\(operation): permission denied: choose a port above 1023, or a writable folder"
        case ENAMETOOLONG: "\(operation): the path of the ipc socket is too long: choose a folder with a shorter path"
        case EINVAL where operation.contains("//[fe80:"):
            "\(operation): a link-local IPv6 address belongs to one network card alone: use another address, or [::]"
        default: unsafe "\(operation): \(String(cString: zmq_strerror(code)))"
        }
    }

    /// Whether the address does not belong to this machine.
    package var isForeignAddress: Bool { code == EADDRNOTAVAIL || code == ENODEV }

    /// The error of the libzmq call that just failed on this thread.
    static func last(_ operation: String) -> ZeroMQError {
        ZeroMQError(operation: operation, code: zmq_errno())
    }
}

/// Returns a libzmq result, or throws its error.
@discardableResult
func check(_ operation: @autoclosure () -> String, _ result: Int32) throws(ZeroMQError) -> Int32 {
    guard result >= 0 else { throw ZeroMQError.last(operation()) }
    return result
}
