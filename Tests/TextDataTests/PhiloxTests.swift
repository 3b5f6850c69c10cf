import Testing

@testable import TextData

@Suite struct PhiloxTests {
    struct KnownAnswer: Sendable {
        let key: UInt64
        let counter: [UInt32]
        let bits: [UInt32]
    }

    /// Those that Random123 publishes for philox4x32 with 10 rounds.
    static let knownAnswers = [
        KnownAnswer(key: 0, counter: [0, 0, 0, 0], bits: [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
        KnownAnswer(
            key: .max, counter: [.max, .max, .max, .max], bits: [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
        KnownAnswer(
            key: 0x299F_31D0_A409_3822, counter: [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344],
            bits: [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]),
    ]

    @Test(arguments: knownAnswers)
    func itGivesThePublishedKnownAnswers(_ answer: KnownAnswer) {
        #expect(Philox(key: answer.key)(Philox.Block(answer.counter)) == Philox.Block(answer.bits))
    }
}
