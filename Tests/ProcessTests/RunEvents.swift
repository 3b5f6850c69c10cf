import Foundation
import Testing

/// What a run's metrics.jsonl tells, one event after another, as it comes: waits that no message's words decide.
///
/// A resumed run removes lines and adds others; what was read before is not read again.
final class RunEvents {
    typealias Event = [String: Any]
    struct Missing: Error {}

    private let path: String
    private var seen: Set<Data> = []
    private var unread: [Event] = []
    private var offset: UInt64 = 0
    private var lastLine = Data()
    /// The step after which the run stood with the newest event.
    private(set) var step = 0

    /// - Parameter run: the run's folder; its file need not be there yet.
    init(_ run: String) { path = run + "/metrics.jsonl" }

    /// Reads up to an event, which is returned.
    ///
    /// The file is read again and again. The pause between two readings saves processor time and decides nothing.
    ///
    /// - Parameters:
    ///   - isRunning: whether more events may come.
    func next(
        _ what: String, while isRunning: () -> Bool, location: SourceLocation, where isIt: (Event) -> Bool
    ) throws -> Event {
        for _ in 0..<12_000 {
            let mayGoOn = isRunning()
            try read()
            while !unread.isEmpty {
                let event = unread.removeFirst()
                step = event["step"] as? Int ?? event["after_step"] as? Int ?? step
                if isIt(event) { return event }
            }
            guard mayGoOn else { break }
            usleep(5_000)
        }
        Issue.record("\(path) tells of no \(what)", sourceLocation: location)
        throw Missing()
    }

    private func read() throws {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        // Whether the file is still the one that was read so far, or has another past by now.
        let before = offset - UInt64(lastLine.count)
        try file.seek(toOffset: before)
        if try file.read(upToCount: lastLine.count) ?? Data() != lastLine {
            (offset, lastLine) = (0, Data())
            try file.seek(toOffset: 0)
        }
        let new = try file.readToEnd() ?? Data()
        guard let end = new.lastIndex(of: 0x0A) else { return }
        for line in new[...end].split(separator: 0x0A) {
            lastLine = Data(line) + [0x0A]
            guard seen.insert(Data(line)).inserted else { continue }
            unread.append(try #require(try JSONSerialization.jsonObject(with: Data(line)) as? Event))
        }
        offset += UInt64(new.distance(from: new.startIndex, to: end) + 1)
    }
}

/// Waits for what happens in the run of a process, whose folder is on its command line.
extension RunningApus {
    /// Waits for a step's event.
    /// - Returns: its number, which may be a later one.
    @discardableResult
    func waitForStep(_ step: Int, location: SourceLocation = #_sourceLocation) throws -> Int {
        try wait("step \(step)", location) { $0["event"] as? String == "step" && $0["step"] as? Int ?? 0 >= step }
        return events.step
    }

    /// Waits until an epoch is over, with all that is done at its end.
    func waitForEpoch(_ epoch: Int, location: SourceLocation = #_sourceLocation) throws {
        try wait("step after epoch \(epoch)", location) {
            $0["event"] as? String == "step" && $0["epoch"] as? Int ?? 0 > epoch
        }
    }

    /// Waits for the end of the epoch to which the next step belongs.
    func waitForEpoch(location: SourceLocation = #_sourceLocation) throws {
        let reached = events.step
        let first = try wait("step after step \(reached)", location) {
            $0["event"] as? String == "step" && $0["step"] as? Int ?? 0 > reached
        }
        try waitForEpoch(try #require(first["epoch"] as? Int, sourceLocation: location), location: location)
    }

    /// Waits until a process begins to run steps: the first one, or one that goes on.
    /// - Returns: the step after which it begins.
    @discardableResult
    func waitForStart(location: SourceLocation = #_sourceLocation) throws -> Int {
        try wait("start", location) { $0["event"] as? String == "start" }
        return events.step
    }

    /// Waits until workers have formed a generation: of this number, or with that many workers.
    /// - Returns: the step after which it begins.
    @discardableResult
    func waitForGeneration(_ number: Int? = nil, workers: Int? = nil, location: SourceLocation = #_sourceLocation)
        throws -> Int
    {
        let what = "generation \(number.map(String.init) ?? "")" + (workers.map { " of \($0) workers" } ?? "")
        try wait(what, location) {
            $0["event"] as? String == "generation" && number ?? $0["generation"] as? Int == $0["generation"] as? Int
                && workers ?? ($0["workers"] as? [Any])?.count == ($0["workers"] as? [Any])?.count
        }
        return events.step
    }

    /// Waits until a generation has ended for want of something.
    /// - Returns: the event, with the reason and the ranks of lost workers.
    @discardableResult
    func waitForGenerationEnd(_ number: Int? = nil, location: SourceLocation = #_sourceLocation) throws
        -> RunEvents.Event
    {
        try wait("end of generation \(number.map(String.init) ?? "")", location) {
            $0["event"] as? String == "generation_end"
                && number ?? $0["generation"] as? Int == $0["generation"] as? Int
        }
    }

    /// Waits until data were scored.
    func waitForEvaluation(of split: String, location: SourceLocation = #_sourceLocation) throws {
        try wait("evaluation of \(split)", location) {
            $0["event"] as? String == "evaluation" && $0["split"] as? String == split
        }
    }

    @discardableResult
    private func wait(_ what: String, _ location: SourceLocation, where isIt: (RunEvents.Event) -> Bool) throws
        -> RunEvents.Event
    {
        try events.next(what, while: { isRunning }, location: location, where: isIt)
    }
}

extension RunningApus {
    enum Speaker { case launcher, worker }

    /// Waits for a launcher's line on standard error, or one of its workers', which begins with that one's number.
    func waitForLine(of speaker: Speaker, location: SourceLocation = #_sourceLocation) throws {
        while case let line = try waitForComplaint(location: location), !line.isEmpty,
            line.hasPrefix("[") != (speaker == .worker)
        {}
    }

    /// Waits until the process listens at a TCP port.
    func waitForPort(_ port: UInt16, location: SourceLocation = #_sourceLocation) throws {
        for _ in 0..<6_000 {
            if try ListeningPorts.of(id).contains(port) { return }
            usleep(10_000)
        }
        Issue.record("the process does not listen at port \(port)", sourceLocation: location)
    }
}

extension SmallJob {
    /// Waits until a file of this job is there.
    func waitForFile(_ name: String, location: SourceLocation = #_sourceLocation) {
        for _ in 0..<6_000 where !exists(name) { usleep(10_000) }
        #expect(exists(name), "\(name)", sourceLocation: location)
    }

    /// Waits for the coordinator's process, and returns its id.
    func waitForCoordinator(location: SourceLocation = #_sourceLocation) throws -> pid_t {
        for _ in 0..<60_000 {
            if let found = coordinators.last { return found }
            usleep(1_000)
        }
        return try #require(coordinators.last, sourceLocation: location)
    }
}
