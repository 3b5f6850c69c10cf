/// Generated words, sentences and tables, the same ones every time.
enum SmallText {
    /// As many words as the small model has pieces for: each a piece of its own.
    static let words: [String] = {
        let beginnings = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s"]
        let endings = ["an", "el", "ik", "om", "ur", "ast", "end", "ilt", "ond", "unk", "arm", "irt", "oft", "ule"]
        return beginnings.flatMap { beginning in endings.map { beginning + $0 } }
    }()

    /// 211 pieces: specials, letters that begin a word or go on with it, and words.
    static let vocabulary: [String] = {
        let letters = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }
        let all = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + letters.map { "##" + $0 } + words
        return Array(all.prefix(211))
    }()

    /// A TSV file of sentences of 1 to 16 words; the first word tells the label.
    static func table(rows: Int, labels: [String], seed: UInt64) -> String {
        "sentence\tlabel\n"
            + samples(rows: rows, labels: labels, seed: seed).map { "\($0.text)\t\($0.label)\n" }.joined()
    }

    static func samples(rows: Int, labels: [String], seed: UInt64) -> [(text: String, label: String)] {
        var numbers = Numbers(state: seed)
        return (0..<rows).map { row in
            let label = row % labels.count
            let first = words[label * 40 + numbers.below(40)]
            let others = (0..<numbers.below(16)).map { _ in words[numbers.below(words.count)] }
            return (([first] + others).joined(separator: " "), labels[label])
        }
    }

    /// Knuth's linear congruential generator.
    private struct Numbers {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }
}
