internal import Learning

/// How long the learning rate rises: a number of steps, or a share of the run's steps.
package enum WarmupLength: Sendable, Equatable, ExpressibleByIntegerLiteral {
    case steps(Int)
    /// Above 0 and below 1.
    case share(Double)

    package init(integerLiteral steps: Int) { self = .steps(steps) }

    /// Steps of a run of `total` steps: a partial step counts as a step, as in Transformers.
    package func count(of total: Int) -> Int {
        switch self {
        case .steps(let count): count
        case .share(let share): share.steps(of: total)
        }
    }

    /// Whether a longer run warms up for longer.
    package var dependsOnTotal: Bool { if case .share = self { true } else { false } }
}

extension WarmupLength: ConfigurationEntry {
    package static var needed: String { "a whole number of steps, or a share of the run below 1, such as 0.1" }

    package init?(_ value: ConfigurationValue) {
        if let steps = Int(value) {
            self = .steps(steps)
        } else if let number = Double(value), let whole = Int(exactly: number) {
            self = .steps(whole)
        } else if let share = Double(value), share > 0, share < 1 {
            self = .share(share)
        } else {
            return nil
        }
    }

    package var value: ConfigurationValue {
        switch self {
        case .steps(let count): count.value
        case .share(let share): share.value
        }
    }
}

extension WarmupLength: Codable {
    package init(from decoder: any Decoder) throws {
        let number = try decoder.singleValueContainer().decode(Double.self)
        self = number < 1 && number > 0 ? .share(number) : .steps(Int(number))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .steps(let count): try container.encode(count)
        case .share(let share): try container.encode(share)
        }
    }
}
