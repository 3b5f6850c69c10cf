/// How people write numbers: with a decimal comma, signs between thousands or a unit, which programs do not read.
package enum NumberNotation: Equatable {
    /// Digits, perhaps with a decimal point or an exponent.
    case plain
    /// `0,5`, which may be two whole numbers.
    case decimalComma
    /// `1.234,50`, `1,234.50`, `1 234,5`, `1'234.5` and `1.234.567`.
    case thousands(plain: String)
    /// `12 %`, `$5`, `5 €`.
    case unit
    /// A minus sign that is not a hyphen.
    case minusSign(plain: String)

    /// Nil for a text that is not a number.
    package init?(_ text: String) {
        if Float(text) != nil {
            self = .plain
            return
        }
        if let first = text.first, Self.minusSigns.contains(first), Self("-" + text.dropFirst()) != nil {
            self = .minusSign(plain: "-" + text.dropFirst())
            return
        }
        let number = text.filter { !Self.units.contains($0) }
        guard number.count == text.count else {
            guard text.count - number.count == 1, Self(Dataset.trimmed(number)) != nil else { return nil }
            self = .unit
            return
        }
        let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ",", omittingEmptySubsequences: false)
        if let plain = Self.notations.lazy.compactMap({ Self.ungrouped(digits, by: $0, $1) }).first {
            self = .thousands(plain: (text.first == "-" ? "-" : "") + plain)
        } else if parts.count == 2, parts.allSatisfy(Self.areDigits) {
            self = .decimalComma
        } else {
            return nil
        }
    }

    private static let minusSigns: Set<Character> = ["\u{2212}", "\u{2013}"]
    private static let units: Set<Character> = ["%", "$", "\u{20AC}", "\u{A3}", "\u{A5}"]
    private static let spaces: Set<Character> = [" ", "\u{A0}", "\u{202F}", "\u{2009}"]

    /// Signs between thousands, and before decimals.
    private static let notations: [(Set<Character>, Set<Character>)] = [
        (["."], [","]), ([","], ["."]), (spaces, [",", "."]), (["'", "\u{2019}"], [",", "."]),
    ]

    private static func areDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// The number without signs between its thousands; nil if they are not certainly that: `1,234` may have a decimal
    /// comma, and `1,234,567` may be three numbers.
    private static func ungrouped(_ digits: Substring, by separators: Set<Character>, _ points: Set<Character>)
        -> String?
    {
        let end = digits.firstIndex(where: points.contains) ?? digits.endIndex
        let decimals = digits[end...].dropFirst()
        guard end == digits.endIndex || areDigits(decimals) else { return nil }
        let groups = digits[..<end].split(omittingEmptySubsequences: false, whereSeparator: separators.contains)
        guard groups.count > 1, (1...3).contains(groups[0].count), groups[0] != "0", groups.allSatisfy(areDigits),
            groups.dropFirst().allSatisfy({ $0.count == 3 })
        else { return nil }
        let isCertain = !separators.contains(",") && (groups.count > 2 || !separators.contains("."))
        guard isCertain || !decimals.isEmpty else { return nil }
        return groups.joined() + (decimals.isEmpty ? "" : "." + decimals)
    }

    /// What programs do not read in it, and how to write the number instead; nil if there is nothing.
    package var problem: (found: String, remedy: String)? {
        switch self {
        case .plain, .decimalComma: nil
        case .thousands(let plain): ("signs between its thousands", "write it as \(plain)")
        case .unit: ("a unit", "write the number alone")
        case .minusSign(let plain): ("a minus sign that is not a hyphen", "write it as \(plain)")
        }
    }

    /// The first of the texts with something that programs do not read, if all of them are numbers.
    package static func foreign(_ texts: some Sequence<String>) -> (text: String, notation: NumberNotation)? {
        var found: (text: String, notation: NumberNotation)?
        for text in texts {
            guard let notation = NumberNotation(text) else { return nil }
            if found == nil, notation.problem != nil { found = (text, notation) }
        }
        return found
    }
}

extension Dataset {
    /// An error about a label that is a number for people only.
    /// - Parameter ways: of taking it for something else.
    package func error(aboutNumber text: String, _ notation: NumberNotation, ways: String) -> DatasetError {
        let (found, remedy) = notation.problem ?? ("", "")
        return error(
            inRow: labels?.firstIndex { $0.contains(text) },
            "the label \"\(text)\" is a number with \(found): \(remedy)\(ways)")
    }
}
