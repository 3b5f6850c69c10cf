/// How a tokenizer normalizes text before it looks for tokens; the names are those of tokenizer_config.json.
package struct TextOptions: Equatable, Sendable {
    package var lowercase = true
    /// Nil follows `lowercase`.
    package var stripAccents: Bool?
    package var tokenizeChineseCharacters = true
    /// Whether control characters are dropped and all white space becomes a space.
    package var cleansText = true

    package init(
        lowercase: Bool = true, stripAccents: Bool? = nil, tokenizeChineseCharacters: Bool = true,
        cleansText: Bool = true
    ) {
        self.lowercase = lowercase
        self.stripAccents = stripAccents
        self.tokenizeChineseCharacters = tokenizeChineseCharacters
        self.cleansText = cleansText
    }

    /// No change to the text: a tokenizer without a normalizer.
    package static let none = TextOptions(
        lowercase: false, stripAccents: false, tokenizeChineseCharacters: false, cleansText: false)
}

/// The result of normalizing one character: cleaning, Chinese characters, accents, case and word borders in one
/// look-up.
///
/// Characters below `tableEnd` are looked up, the others computed each time.
struct CharacterFolding: Sendable {
    /// One resulting character, packed: the scalar value, its role, and whether it is a mark that needs canonical
    /// ordering.
    struct Output: Sendable {
        enum Role: UInt32 { case inWord, wordOfItsOwn, separator, barrier }

        private let bits: UInt32

        init(_ scalar: Unicode.Scalar, _ role: Role, isOrderedMark: Bool = false) {
            bits = scalar.value | role.rawValue << 24 | (isOrderedMark ? 1 << 26 : 0)
        }

        @inline(__always) var value: UInt32 { bits & 0x1F_FFFF }
        @inline(__always) var role: Role { Role(rawValue: bits >> 24 & 3)! }
        @inline(__always) var isOrderedMark: Bool { bits >> 26 & 1 == 1 }
    }

    static let tableStart: UInt32 = 0x80
    static let tableEnd: UInt32 = 0x3100

    private let options: TextOptions
    private var outputs: [Output] = []
    /// The start of each tabled character's outputs; one more than there are characters.
    private var starts: [Int32] = [0]

    init(_ options: TextOptions) {
        self.options = options
        starts.reserveCapacity(Int(Self.tableEnd - Self.tableStart) + 1)
        for value in Self.tableStart..<Self.tableEnd {
            if let scalar = Unicode.Scalar(value) { fold(scalar, into: &outputs) }
            starts.append(Int32(outputs.count))
        }
    }

    /// Calls `body` with each character that `scalar` becomes.
    @inline(__always)
    func forEachOutput(of scalar: Unicode.Scalar, _ body: (Output) -> Void) {
        let value = scalar.value
        if value < Self.tableEnd, value >= Self.tableStart {
            let index = Int(value - Self.tableStart)
            for position in Int(starts[index])..<Int(starts[index + 1]) { body(outputs[position]) }
        } else if (0x4E00...0x9FFF).contains(value), options.tokenizeChineseCharacters {
            body(Output(scalar, .wordOfItsOwn))
        } else {
            var computed: [Output] = []
            fold(scalar, into: &computed)
            for output in computed { body(output) }
        }
    }

    /// As ``forEachOutput(of:_:)``, with the spaces that the reference puts around Chinese characters.
    ///
    /// They end no other words, but an added word may begin or end with one.
    func forEachSpacedOutput(of scalar: Unicode.Scalar, _ body: (Output) -> Void) {
        let isShort = options.tokenizeChineseCharacters && (0x4E00...0x9FFF).contains(scalar.value)
        if isShort { body(Output(" ", .separator)) }
        forEachOutput(of: scalar, body)
        if isShort { body(Output(" ", .separator)) }
    }

    private func fold(_ scalar: Unicode.Scalar, into outputs: inout [Output]) {
        if options.cleansText {
            if scalar.isDropped { return }
            if scalar.properties.isWhitespace {
                outputs.append(Output(" ", .separator))
                return
            }
        }
        let isChinese = options.tokenizeChineseCharacters && scalar.isChinese
        if isChinese { outputs.append(Output(" ", .separator)) }
        var scalars: [Unicode.Scalar] = []
        if strips { scalar.appendDecomposition(to: &scalars) } else { scalars.append(scalar) }
        for part in scalars {
            if strips, part.isNonspacingMark {
                if part.combiningClass == 0 { outputs.append(Output(part, .barrier)) }
            } else if options.lowercase {
                for lower in part.properties.lowercaseMapping.unicodeScalars { appendClassified(lower, to: &outputs) }
            } else {
                appendClassified(part, to: &outputs)
            }
        }
        if isChinese { outputs.append(Output(" ", .separator)) }
    }

    private func appendClassified(_ scalar: Unicode.Scalar, to outputs: inout [Output]) {
        let role: Output.Role =
            if scalar.properties.isWhitespace { .separator } else if scalar.isPunctuationMark { .wordOfItsOwn } else {
                .inWord
            }
        let isOrdered = strips && scalar.combiningClass != 0
        outputs.append(Output(scalar, role, isOrderedMark: isOrdered))
    }

    private var strips: Bool { options.stripAccents ?? options.lowercase }
}

/// How the word search treats an ASCII character or the first byte of a longer one.
struct ByteActions: Sendable {
    enum Action: UInt8 { case inWord, wordOfItsOwn, separator, drop, firstOfSeveral, maybeAddedToken }

    private let actions: [Action]
    private let lowered: [UInt8]
    let cleansText: Bool

    init(_ options: TextOptions, addedTokens: [AddedToken]) {
        var actions: [Action] = []
        var lowered: [UInt8] = []
        for byte in UInt8.min...UInt8.max {
            let scalar = Unicode.Scalar(byte)
            let isUpper = (0x41...0x5A).contains(byte)
            lowered.append(options.lowercase && isUpper ? byte + 32 : byte)
            if addedTokens.contains(where: { $0.bytes.first == byte }) {
                actions.append(.maybeAddedToken)
            } else {
                actions.append(Self.ordinaryAction(of: scalar, cleansText: options.cleansText))
            }
        }
        self.actions = actions
        self.lowered = lowered
        cleansText = options.cleansText
    }

    static func ordinaryAction(of scalar: Unicode.Scalar, cleansText: Bool) -> Action {
        if !scalar.isASCII { return .firstOfSeveral }
        if cleansText, scalar.isDropped { return .drop }
        if scalar.properties.isWhitespace { return .separator }
        return scalar.isPunctuationMark ? .wordOfItsOwn : .inWord
    }

    @inline(__always) func action(of byte: UInt8) -> Action { actions[Int(byte)] }
    @inline(__always) func lower(_ byte: UInt8) -> UInt8 { lowered[Int(byte)] }
}
