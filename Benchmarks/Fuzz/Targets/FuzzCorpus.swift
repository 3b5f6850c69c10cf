internal import Cluster
internal import Coordination
internal import Foundation
internal import Transport

extension FuzzTarget {
    /// Inputs that are what the target reads: where mutation begins.
    package var examples: [[UInt8]] {
        switch self {
        case .frame:
            [
                Example.frame(kind: 3, sender: 1, payload: [1, 2, 3, 4]),
                Example.frame(kind: 32, sender: 2, payload: []),
            ]
        case .stream:
            [
                [6] + Example.streamed(kind: 18, payload: [UInt8](repeating: 7, count: 300))
                    + Example.streamed(kind: 17, payload: [])
            ]
        case .handshake: [Example.hello + Example.frame(kind: 3, sender: 1, payload: [9, 9])]
        case .envelope: [Example.envelope]
        case .invocation: Example.invocations
        case .shard: [Example.shard]
        case .json:
            [
                Array(
                    #"{"a": [1, -2.5e3, true, null, "\u00e9\ud83d\ude00\n"], "b": {"": "x"}, "c": 9223372036854775807}"#
                        .utf8)
            ]
        case .safetensors: [Example.safetensors]
        case .keys:
            [
                Array(KeyRing.generate(workers: 2).coordinator.text.utf8),
                Array(KeyRing.generate(workers: 1).workers[0].text.utf8),
            ]
        case .cluster: [Array(Example.clusterFile.utf8)]
        case .tokenizer: [Array(Example.tokenizerJSON.utf8)]
        case .answer: [Array(Example.answer.utf8)]
        case .torch: [Example.torch]
        }
    }

    /// Words that a mutation may put in.
    package var dictionary: [[UInt8]] {
        switch self {
        case .frame, .stream, .handshake, .envelope, .shard:
            [
                [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0], Array("APUS".utf8),
                Array("APUC".utf8),
            ]
        default:
            [
                "0", "1", "-1", "9223372036854775807", "18446744073709551615", "1e999", "[]", "{}", ",", ":", "\"a\"",
                "\\u0061", "\\ud800", "\\",
                "\"", "null", "[[[[", "}", "]", "F64", "BF16", "shape", "data_offsets", "\n", "- ", "&a ", "*a",
                "hosts:", "!!binary ", "worker ",
            ].map { Array($0.utf8) }
        }
    }
}

/// What the examples are made of.
private enum Example {
    /// A tensor of two floats as torch.save writes it.
    static let torch = [UInt8](
        Data(
            base64Encoded:
                "UEsDBBQAAAAAAAJBfl01q3eJkgAAAJIAAAAKAAAAeC9kYXRhLnBrbIACfVgBAAAAYXEAY3RvcmNoLl91dGlscwpfcmVidWlsZF90"
                + "ZW5zb3JfdjIKcQEoKFgHAAAAc3RvcmFnZXECY3RvcmNoCkZsb2F0U3RvcmFnZQpxA1gBAAAAMHEEWAMAAABjcHVxBUsCdFFLAEsC"
                + "hUsBhYljY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKKVJ0UnMuUEsDBBQAAAAAAAJBfl12pT8uCAAAAAgAAAAIAAAAeC9kYXRhLzAA"
                + "AIA/AAAAQFBLAQIUAxQAAAAAAAJBfl01q3eJkgAAAJIAAAAKAAAAAAAAAAAAAACAAQAAAAB4L2RhdGEucGtsUEsBAhQDFAAAAAAA"
                + "AkF+XXalPy4IAAAACAAAAAgAAAAAAAAAAAAAAIABugAAAHgvZGF0YS8wUEsFBgAAAAACAAIAbgAAAOgAAAAAAA==") ?? Data())

    static func frame(kind: UInt8, sender: UInt16, payload: [UInt8]) -> [UInt8] {
        let header = FrameHeader(
            kind: kind, sender: sender, generation: 7, step: 3, bucket: 1, offset: 0x0123_4567_89AB_CDEF,
            count: UInt64(payload.count))
        return FrameCodec.encode(header, payloadBytes: payload.count) + payload
    }

    static func streamed(kind: UInt8, payload: [UInt8]) -> [UInt8] {
        let header = FrameHeader(
            kind: kind, sender: 1, generation: 7, step: 3, bucket: 1, offset: 64, count: UInt64(payload.count))
        return FrameCodec.encode(streamed: header, payloadBytes: payload.count) + payload
    }

    static var hello: [UInt8] { frame(kind: LinkAdmission.helloKind, sender: 1, payload: []) }

    static var envelope: [UInt8] {
        var envelope = Envelope(
            kind: .call, generation: 2, incarnation: 3, call: 4, sender: "worker-1", payload: [1, 2, 3])
        envelope.recipient = "coordinator"
        envelope.target = "coordinator.join"
        return envelope.bytes
    }

    static var invocations: [[UInt8]] {
        let identity = WorkerIdentity(
            version: "1", fingerprint: "f", arithmetic: 1, arithmeticName: "arithmetic 1",
            host: "h", hostName: "h", processID: 3, threads: 2)
        let held = HeldState(run: 5, committedStep: 7, keptStep: nil, hash: 11)
        return [
            InvocationEncoder.payload(of: [identity, ActorAddress(process: "p", name: "worker")]),
            InvocationEncoder.payload(of: [StepCommand(step: 3, commit: nil, batches: 1, emptyLanes: [2], lossScale: 7)]
            ),
            InvocationEncoder.payload(of: [held]),
        ]
    }

    static var shard: [UInt8] {
        let words: [Int32] = [0, 1, 3, 1, 5, 6, 7, 2, 4, 0, 1, 1, 9, 0]
        return [2, 0, 0, 0, 0, 0, 0, 0, 8]
            + words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }

    static var safetensors: [UInt8] {
        let header =
            #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#
            + #""b":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]}}"#
        return (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> ($0 * 8)) } + Array(header.utf8)
            + [UInt8](repeating: 1, count: 14)
    }

    static let clusterFile = """
        coordinator: {address: lab1.example.org, port: 5555}
        defaults: {workers: 2, threads: 8, binary: apus}
        hosts:
          - address: lab1.example.org
          - {address: 10.0.0.2, workers: 4, ssh_port: 2222, user: me, interface: eth0}

        """

    static let answer =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 206 \r\nContent-Range: bytes 5-9/10\r\nX-Linked-Size: 10\r\n"
        + "Retry-After: 3\r\nX-Linked-ETag: \"9e26dfeeb6e641a33dae4961196235bdb965b21b\"\r\n\r\nbody"

    static let tokenizerJSON = #"""
        {"added_tokens": [{"id": 2, "content": "[CLS]", "special": true}, {"id": 8, "content": "<e>"}],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents":
         null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": {"type": "BertProcessing", "sep": ["[SEP]",
         3], "cls": ["[CLS]", 2]},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
         "max_input_chars_per_word": 100,
                   "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "hello": 5, "wor": 6,
                   "##ld": 7}}}
        """#
}
