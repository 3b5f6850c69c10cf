/// Which tokens a masked-LM task hides, as a function of only seed, step and a sample's position: the same for
/// every split of the work, different in each step.
///
/// 15 % of the tokens are selected, at least one per sample. Of these 80 % become [MASK], 10 % a random token,
/// 10 % stay. Source: Devlin et al. 2019, section 3.1; create_pretraining_data.py in their code for the minimum of one.
package struct WordMasking: Equatable, Sendable {
    package let seed: UInt64
    /// 0 for the target task, 1 for the source task.
    package let stream: UInt32
    private let mask: Int32
    private let pieces: UInt32
    private let specials: [Int32]
    /// Whether a token continues the word before it; nil if tokens are drawn one by one.
    private let continues: [Bool]?

    /// Separates these draws from other uses of the same seed.
    private static let purpose: UInt32 = 0x4D41_534B
    private static let chosen = UInt32(0.15 * 0x1p32)
    private static let masked = UInt32(0.8 * 0x1p32)
    private static let replaced = UInt32(0.9 * 0x1p32)

    /// - Parameter wholeWords: whether a word's tokens are selected together.
    /// - Returns: nil if the vocabulary has no [MASK].
    package init?(_ vocabulary: Vocabulary, seed: UInt64, stream: UInt32, wholeWords: Bool) {
        guard let mask = vocabulary.specials.mask else { return nil }
        let special = vocabulary.specials
        self.seed = seed
        self.stream = stream
        self.mask = mask
        pieces = UInt32(vocabulary.count)
        specials =
            [special.unknown, special.classification, special.separator, mask] + (special.padding.map { [$0] } ?? [])
        continues = wholeWords ? vocabulary.pieces.map { $0.hasPrefix("##") } : nil
    }

    /// Whether a sample has a token that can be selected: one that is not special.
    package func canAsk(_ sample: ArraySlice<Int32>) -> Bool { sample.contains { !specials.contains($0) } }

    /// Enumerates the selected tokens of `sample` in order: the index in the sample, and the token shown
    /// there.
    ///
    /// If the draws select nothing, the token or word with the lowest draw is selected, so that no sample is
    /// without a loss.
    /// - Parameters:
    ///   - step: optimizer step from 1, 0 in an evaluation.
    ///   - position: of the sample in the step's global batches; in an evaluation its index.
    package func forEachAsked(
        _ sample: ArraySlice<Int32>, step: Int, position: UInt32, _ body: (_ place: Int, _ shown: Int32) -> Void
    ) {
        // An evaluation selects the same words for every seed.
        let random = Philox(key: step == 0 ? 0 : seed)
        func draw(_ place: Int) -> Philox.Block {
            random([UInt32(place), position, UInt32(truncatingIfNeeded: step), Self.purpose ^ stream << 24])
        }
        func ask(_ place: Int, _ id: Int32, _ bits: Philox.Block) {
            let drawn = Int32(bits[2].multipliedFullWidth(by: pieces).high)
            body(place, bits[1] < Self.masked ? mask : bits[1] < Self.replaced ? drawn : id)
        }
        var (takesWord, asksAny) = (false, false)
        var lowest: (draw: UInt32, place: Int)?
        for (place, id) in sample.enumerated() {
            guard !specials.contains(id) else {
                takesWord = false
                continue
            }
            let bits = draw(place)
            if !goesOn(place, in: sample) {
                takesWord = bits[0] < Self.chosen
                if bits[0] < lowest?.draw ?? .max { lowest = (bits[0], place) }
            }
            guard takesWord else { continue }
            asksAny = true
            ask(place, id, bits)
        }
        guard !asksAny else { return }
        // A sample that has only continuations, after an unknown word, has no first token of a word.
        let first = lowest?.place ?? sample.enumerated().first { !specials.contains($1) }?.offset
        for (place, id) in sample.enumerated().dropFirst(first ?? sample.count) {
            guard place == first || (goesOn(place, in: sample) && !specials.contains(id)) else { return }
            ask(place, id, draw(place))
        }
    }

    /// Whether a token belongs to the word before it.
    private func goesOn(_ place: Int, in sample: ArraySlice<Int32>) -> Bool {
        place > 0 && continues?[Int(sample[sample.startIndex + place])] == true
    }
}
