/// The character classes of Hugging Face's fast BERT tokenizer, whose tables follow Unicode 8.0.
///
/// The standard library uses a later Unicode. A character's category therefore counts only if the character is at least
/// that old; the few whose category changed since are listed. Source: every scalar value run through Tokenizers 0.23.
extension Unicode.Scalar {
    /// Removed by cleaning: control, format and private-use characters, NUL and the replacement character.
    var isDropped: Bool {
        switch properties.generalCategory {
        case .control: value != 0x09 && value != 0x0A && value != 0x0D
        case .format: isOfUnicode8
        case .privateUse: true
        default: value == 0xFFFD
        }
    }

    /// Removed when accents are stripped.
    var isNonspacingMark: Bool {
        switch value {
        case 0x1734, 0x1171E: true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false
        default: properties.generalCategory == .nonspacingMark && isOfUnicode8
        }
    }

    /// Always a word of its own.
    var isPunctuationMark: Bool {
        if value < 0x80 {
            return (0x21...0x2F).contains(value) || (0x3A...0x40).contains(value) || (0x5B...0x60).contains(value)
                || (0x7B...0x7E).contains(value)
        }
        switch properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return isOfUnicode8
        default: return value == 0x166D || value == 0x111C9
        }
    }

    /// Surrounded by spaces: the blocks of Chinese characters, not Hangul, Hiragana or Katakana.
    var isChinese: Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF,
            0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    /// Of a word to a token for single words: \w of Rust's regular expressions.
    var isWordCharacter: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: properties.isAlphabetic || properties.isJoinControl
        }
    }

    private var isOfUnicode8: Bool { isAssigned(before: 9) }

    /// Whether the character was assigned before Unicode `major`.0.
    func isAssigned(before major: Int) -> Bool {
        guard let age = properties.age else { return false }
        return age.major < major
    }
}
