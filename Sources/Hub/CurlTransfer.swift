internal import CSystem
internal import Foundation

/// One request by the system's `curl`, as a child process.
///
/// docs/decisions/models-by-name.md says why it is not a library.
enum CurlTransfer {
    /// How an answer ended.
    enum End: Equatable, Sendable {
        case complete(ResponseHead)
        /// No answer: the host was not found, did not accept the connection, or its certificate did not hold.
        case unreachable(String)
        /// The connection broke, with the head of the answer if that had come.
        case broken(String, ResponseHead?)
        /// Not an answer of HTTP.
        case malformed
    }

    /// - Parameters:
    ///   - onHead: takes the head; false if the body is not wanted.
    ///   - onBody: takes the body in order.
    /// - Throws: what they throw, and ``HubError`` if curl cannot be started.
    static func run(
        _ configuration: CurlConfiguration, onHead: (ResponseHead) throws(HubError) -> Bool,
        onBody: ([UInt8]) throws(HubError) -> Void
    ) throws(HubError) -> End {
        let child = try Child(configuration)
        defer { child.end() }
        var reader = ResponseHeadReader()
        var head: ResponseHead?
        while let chunk = child.read() {
            if head != nil {
                try onBody(chunk)
                continue
            }
            switch reader.take(chunk) {
            case .more: continue
            case .malformed: return .malformed
            case .head(let found, let rest):
                head = found
                guard try onHead(found) else { return .complete(found) }
                if !rest.isEmpty { try onBody(rest) }
            }
        }
        let (status, complaint) = child.result()
        switch (status, head) {
        case (0, let head?): return .complete(head)
        case (0, nil), (1, _), (8, nil): return .malformed
        // Host or proxy not found, no connection, certificates.
        case (5, nil), (6, nil), (7, nil), (35, nil), (51, nil), (58, nil), (60, nil), (77, nil), (97, nil):
            return .unreachable(complaint)
        // A connection that did not come, or an answer that did not.
        case (28, nil): return .unreachable("no answer in time")
        default: return .broken(complaint, head)
        }
    }

    /// A running curl, which has been told what to do.
    private final class Child {
        private let process = Process()
        private let (output, errors): (FileHandle, FileHandle)

        init(_ configuration: CurlConfiguration) throws(HubError) {
            guard let program = Self.program else {
                throw HubError(
                    "curl is not installed, and fetches models: install it (Debian: apt-get install curl), or copy the "
                        + "model's folder here and name that")
            }
            // Foundation waits for a thread of its own that never comes if the system starts none.
            guard apus_try_threads(2) == 2 else {
                throw HubError(
                    "no thread can be started, and curl needs one to fetch the model: raise the limit of processes "
                        + "(ulimit -u, or the control group's pids.max), or name the folder of a model")
            }
            let (input, told, said) = (try Self.pipe(), try Self.pipe(), try Self.pipe())
            (output, errors) = (told.reading, said.reading)
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = CurlConfiguration.arguments
            process.standardInput = input.reading
            process.standardOutput = told.writing
            process.standardError = said.writing
            do {
                try process.run()
                for end in [input.reading, told.writing, said.writing] { try end.close() }
                try input.writing.write(contentsOf: Data(configuration.text.utf8))
                try input.writing.close()
            } catch {
                end()
                throw HubError("\(program) cannot be started (\(error.localizedDescription)): check the installation")
            }
        }

        /// The next bytes of its output, as soon as there are any; nil at the end.
        func read() -> [UInt8]? {
            let descriptor = output.fileDescriptor
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
                var got = -1
                repeat {
                    got = unsafe Foundation.read(descriptor, buffer.baseAddress, buffer.count)
                } while got < 0 && errno == EINTR
                count = max(0, got)
            }
            return bytes.isEmpty ? nil : bytes
        }

        /// Its exit status and what it said, once its output has ended.
        func result() -> (status: Int32, complaint: String) {
            let said = (try? errors.read(upToCount: 4_096)).flatMap { $0 } ?? Data()
            process.waitUntilExit()
            let line = String(decoding: said, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
            let reason = line.prefixMatch(of: /curl: \([0-9]+\) (.+)/).map { String($0.1) } ?? line
            let status = process.terminationReason == .exit ? process.terminationStatus : -1
            return (
                status, reason.isEmpty ? "curl ended with \(process.terminationStatus)" : String(reason.prefix(200))
            )
        }

        func end() {
            guard process.isRunning else { return }
            // A thread that holds back signals passes this on to its children; this one cannot be held back.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }

        /// A pipe that another child, started at the same time, does not keep open.
        private static func pipe() throws(HubError) -> (reading: FileHandle, writing: FileHandle) {
            var ends: [CInt] = [-1, -1]
            guard unsafe apus_private_pipe(&ends) == 0 else {
                throw HubError("no free file descriptor: raise the limit with ulimit -n")
            }
            return (
                FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
                FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
            )
        }

        private static var program: String? {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            return path.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/curl" }
                .first { FileManager.default.isExecutableFile(atPath: $0) }
        }
    }
}
