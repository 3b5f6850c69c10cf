/// The calls that one caller has made to this process, so that a call that arrives twice is executed once.
///
/// An answer is kept until the caller confirms it.
struct AnsweredCalls: Sendable {
    enum Decision: Equatable, Sendable {
        case execute
        /// The same call is being executed, or its caller no longer waits: nothing to do.
        case ignore
        /// The same call was answered with these bytes.
        case repeatAnswer([UInt8])
        /// Too many calls at once.
        case refuse

        var name: String {
            switch self {
            case .execute: "execute"
            case .ignore: "ignore"
            case .repeatAnswer: "repeat the answer"
            case .refuse: "refuse"
            }
        }
    }

    static let limit = 1_024
    /// Answers by call; nil while the call is being executed.
    private var answers: [UInt64: [UInt8]?] = [:]
    private var floor: UInt64 = 0

    mutating func arrived(_ call: UInt64, settledBelow: UInt64) -> Decision {
        if settledBelow > floor {
            floor = settledBelow
            // Usually only one or two: keep the table.
            for settled in answers.keys.filter({ $0 < floor }) { answers[settled] = nil }
        }
        guard call >= floor else { return .ignore }
        if let known = answers[call] { return known.map(Decision.repeatAnswer) ?? .ignore }
        guard answers.count < Self.limit else { return .refuse }
        answers.updateValue(nil, forKey: call)
        return .execute
    }

    mutating func answered(_ call: UInt64, with bytes: [UInt8]) {
        if answers[call] != nil { answers[call] = .some(bytes) }
    }
}
