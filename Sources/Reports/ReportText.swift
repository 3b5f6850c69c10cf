/// A text of the data for display on a page.
package enum ReportText {
    private static let longest = 600

    /// Truncated, and with control characters replaced by their names.
    package static func shown(_ text: String) -> String {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < longest else { return shown + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control where scalar != "\n" && scalar != "\t", .format, .lineSeparator, .paragraphSeparator,
                .privateUse, .unassigned:
                // A joiner is part of emoji and of some scripts' words.
                if scalar == "\u{200D}" || scalar == "\u{200C}" {
                    shown.unicodeScalars.append(scalar)
                } else {
                    shown += name(scalar)
                }
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "⟨U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)⟩"
    }
}
