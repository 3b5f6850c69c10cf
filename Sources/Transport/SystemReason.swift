internal import Glibc

/// The system's description of a failed call.
func systemReason(_ code: Int32 = errno) -> String { unsafe String(cString: strerror(code)) }
