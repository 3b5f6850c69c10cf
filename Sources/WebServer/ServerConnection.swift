/// One connection of the server. Pure: bytes and time go in, bytes come out.
struct ServerConnection {
    enum Phase: Equatable {
        /// The request is not complete.
        case reading
        /// The answer ends with the bytes that wait.
        case answering
        /// Events follow the bytes that wait.
        case streaming
        /// Nothing is left to do.
        case over
    }

    private(set) var phase = Phase.reading
    private var input: [UInt8] = []
    private(set) var output: [UInt8] = []
    /// How many of them the reader has taken.
    private var written = 0
    /// Of the newest progress: the beginning, or bytes that the reader took.
    private var moved: ContinuousClock.Instant
    private var lastEvent: ContinuousClock.Instant

    /// How long a request may take to arrive, and a reader may take none of the bytes that wait.
    static let patience = Duration.seconds(20)
    /// Between two signs of life to a reader of events.
    static let silence = Duration.seconds(15)
    /// Bytes that may wait for a reader of events. One that falls behind is dropped; a browser then connects again.
    static let mostWaiting = 8 << 20

    init(at now: ContinuousClock.Instant) { (moved, lastEvent) = (now, now) }

    /// The bytes to write next; empty if there are none.
    var waiting: ArraySlice<UInt8> { output[written...] }

    /// Takes bytes of the reader.
    /// - Returns: the request, once it is whole.
    mutating func receive(_ bytes: ArraySlice<UInt8>, at now: ContinuousClock.Instant) -> HTTPRequest? {
        // Whatever follows a request is ignored: a connection has one answer.
        guard phase == .reading else { return nil }
        input += bytes
        switch HTTPRequest.reading(input) {
        case .incomplete: return nil
        case .whole(let request):
            input = []
            return request
        case .refused(let status):
            answer(HTTPResponse(refusing: status), withBody: true, at: now)
            return nil
        }
    }

    mutating func answer(_ response: HTTPResponse, withBody: Bool, at now: ContinuousClock.Instant) {
        output = response.bytes(withBody: withBody)
        written = 0
        moved = now
        lastEvent = now
        phase = response.isStream && withBody ? .streaming : .answering
        input = []
    }

    mutating func add(event: [UInt8], at now: ContinuousClock.Instant) {
        guard phase == .streaming else { return }
        guard output.count - written + event.count <= Self.mostWaiting else {
            phase = .over
            return
        }
        if waiting.isEmpty {
            (output, written) = ([], 0)
            moved = now
        } else if written >= Self.mostWaiting / 8 {
            // A reader that never quite catches up.
            output.removeFirst(written)
            written = 0
        }
        output += event
        lastEvent = now
    }

    /// Notes that the reader took bytes.
    mutating func wrote(_ count: Int, at now: ContinuousClock.Instant) {
        written += count
        moved = now
        if waiting.isEmpty, phase == .answering { phase = .over }
    }

    /// The reader has gone.
    mutating func end() { phase = .over }

    /// Time passes.
    mutating func tick(_ now: ContinuousClock.Instant) {
        switch phase {
        case .reading where now - moved > Self.patience:
            answer(HTTPResponse(refusing: .tooSlow), withBody: true, at: now)
        case .answering, .streaming:
            if !waiting.isEmpty, now - moved > Self.patience { return end() }
            if phase == .streaming, now - lastEvent > Self.silence { add(event: Array(":\n\n".utf8), at: now) }
        default: return
        }
    }
}
