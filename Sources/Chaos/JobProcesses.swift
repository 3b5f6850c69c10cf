internal import Files
internal import Foundation
internal import Transport

/// A process of a launched job, as /proc shows it.
package struct JobProcess: Equatable, Sendable {
    enum Role: Equatable, Sendable {
        case launcher
        case coordinator
        case worker
        /// The ssh session of a worker on another host: the only part of that worker that can be reached from here.
        case session
    }

    let id: pid_t
    let role: Role
    let arguments: [String]

    /// - Returns: nil if the process has ended or does not belong to a job.
    init?(_ id: pid_t) {
        guard let bytes = SystemFile.contents("/proc/\(id)/cmdline"), !bytes.isEmpty else { return nil }
        arguments = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
        self.id = id
        switch arguments.dropFirst().first {
        case "launch": role = .launcher
        case "coordinate": role = .coordinator
        case "work": role = .worker
        default:
            guard let program = arguments.first, program.hasSuffix("ssh") else { return nil }
            role = .session
        }
    }

    /// Sends a signal, unless the process has ended and its id may have been reused.
    /// - Returns: whether it was sent.
    @discardableResult
    package func send(_ signal: Int32) -> Bool { JobProcess(id) == self && kill(id, signal) == 0 }

    /// Cuts its connections; none if the process has ended.
    /// - Returns: how many.
    func cut(_ links: ChaosPlan.Links) -> Int {
        guard JobProcess(id) == self else { return 0 }
        let control = controlName
        return ProcessConnections.cut(of: id) { connection in
            guard links != .all, let control else { return links == .all }
            let isControl = connection.local == control || connection.peer == control
            return isControl == (links == .control)
        }
    }

    /// The name of the coordinator's end of the control connections.
    private var controlName: ProcessConnections.Name? {
        guard let index = arguments.firstIndex(where: { $0 == "--endpoint" || $0 == "--coordinator" }),
            let endpoint = arguments.dropFirst(index + 1).first
        else { return nil }
        if endpoint.hasPrefix("ipc://") { return .path(String(endpoint.dropFirst(6))) }
        return endpoint.split(separator: ":").last.flatMap { UInt16($0) }.map { .port($0) }
    }

    /// The coordinator's configuration file.
    var configurationFile: String? {
        guard role == .coordinator, let place = arguments.firstIndex(of: "--config"), place + 1 < arguments.count else {
            return nil
        }
        return arguments[place + 1]
    }
}

/// Finds the processes of a job.
package enum JobProcesses {
    /// Environment variable, inherited by children, that marks a process as part of a job.
    static let variable = "APUS_CHAOS"

    /// The remaining processes of a launcher with ``variable`` set to `mark`, including itself; oldest first.
    static func marked(_ mark: String) -> [JobProcess] {
        let needed = Data("\(variable)=\(mark)".utf8)
        return all.compactMap { id in
            guard let environment = SystemFile.contents("/proc/\(id)/environ"),
                environment.split(separator: 0).contains(needed)
            else { return nil }
            return JobProcess(id)
        }
    }

    /// The processes of all runs whose mark is a path below `folder`.
    package static func all(below folder: String) -> [JobProcess] {
        let beginning = Data("\(variable)=\(folder)/".utf8)
        return all.compactMap { id in
            guard let environment = SystemFile.contents("/proc/\(id)/environ"),
                environment.split(separator: 0).contains(where: { $0.starts(with: beginning) })
            else { return nil }
            return JobProcess(id)
        }
    }

    /// The children of a launcher, oldest first.
    static func children(of launcher: pid_t) -> [JobProcess] {
        all.filter { parent(of: $0) == launcher }.compactMap { JobProcess($0) }
    }

    private static var all: [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }.filter {
            $0 != getpid()
        }.sorted()
    }

    private static func parent(of id: pid_t) -> pid_t? {
        guard let text = SystemFile.text("/proc/\(id)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[end...].split(separator: " ").dropFirst(2).first.flatMap { pid_t($0) }
    }
}
