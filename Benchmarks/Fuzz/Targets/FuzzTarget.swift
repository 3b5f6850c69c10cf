internal import CAllocations

/// A reader of bytes that others write: what it does with any input has to be an answer, never a crash.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case frame
    case stream
    case handshake
    case envelope
    case invocation
    case shard
    case json
    case safetensors
    case keys
    case cluster
    case tokenizer
    case answer
    case torch

    /// Reads one input and checks what must be true of every answer; traps where it is not.
    ///
    /// - Returns: whether the input was taken for what the target reads.
    @discardableResult
    package func run(_ input: [UInt8]) -> Bool {
        allocations_begin()
        let isTaken = read(input)
        let most = Int(allocations_end())
        precondition(
            most <= allowance(input.count),
            "\(self): \(input.count) bytes of input made it hold \(most) bytes, \(allowance(input.count)) at most")
        return isTaken
    }

    /// The memory that an input of this many bytes justifies at any one time.
    ///
    /// Foundation's JSON decoder, Yams and the tokens' index have fixed costs; the rest grows with the input.
    private func allowance(_ bytes: Int) -> Int { (256 << 10) + 512 * bytes }

    private func read(_ input: [UInt8]) -> Bool {
        switch self {
        case .frame: WireReaders.frame(input)
        case .stream: WireReaders.stream(input)
        case .handshake: WireReaders.handshake(input)
        case .envelope: WireReaders.envelope(input)
        case .invocation: WireReaders.invocation(input)
        case .shard: WireReaders.shard(input)
        case .json: FileReaders.json(input)
        case .safetensors: FileReaders.safetensors(input)
        case .keys: FileReaders.keys(input)
        case .cluster: FileReaders.cluster(input)
        case .tokenizer: FileReaders.tokenizer(input)
        case .answer: FileReaders.answer(input)
        case .torch: FileReaders.torch(input)
        }
    }
}
