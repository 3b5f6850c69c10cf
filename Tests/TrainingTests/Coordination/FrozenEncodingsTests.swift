import BERT
import Cluster
import Foundation
import Kernels
import Testing
import Transport

@testable import Coordination
@testable import Learning
@testable import Runs

/// What builds send each other and write to files, beside its bytes as a build once recorded them.
///
/// If one of these fails, an encoding has changed: raise its number in `ProtocolNumbers` (or `FrameCodec.version`), and
/// record the new bytes in a file of that number. The file of the number before stays.
@Suite struct FrozenEncodingsTests {
    @Test func `control messages have the bytes of their protocol number`() throws {
        try check(Self.messages(), "control-\(ProtocolNumbers.current.control)")
    }

    @Test func `frames have the bytes of their protocol number`() throws {
        try check(Self.frames(), "frames-\(ProtocolNumbers.current.frames)")
    }

    @Test func `journal entries have the bytes of their format`() throws {
        let found = try Self.entries.map {
            (name: "\($0)".prefix { $0 != "(" }.description, text: try Self.sorted($0.bytes))
        }
        try check(found, "journal-\(JournalEntry.format)")
    }

    /// Each entry of journals of this format and the one before is read.
    @Test(arguments: 1...JournalEntry.format)
    func `a journal of an earlier format is read`(format: Int) throws {
        let entries = try recorded("journal-\(format)").map {
            try #require(JournalEntry(bytes: Array($0.text.utf8)), "\($0)")
        }
        #expect(JournalHistory(entries)?.unreadableFormat == nil)
        #expect(JournalHistory(entries)?.entries.count == entries.count - 1)
    }

    private func check(_ found: [(name: String, text: String)], _ file: String) throws {
        let recorded = try recorded(file)
        #expect(found.map(\.name) == recorded.map(\.name))
        for (found, recorded) in zip(found, recorded) { #expect(found.text == recorded.text, "\(file): \(found.name)") }
    }

    /// The lines of a recorded file: a name, a tab and the text.
    private func recorded(_ file: String) throws -> [(name: String, text: String)] {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: fixtures.appending(path: "Fixtures/encodings/\(file).tsv"), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", maxSplits: 1)
            return (String(parts[0]), String(try #require(parts.last)))
        }
    }

    // MARK: What is encoded

    private static let commit = Commit(
        step: 6,
        OptimizerSettings(kind: .adamw, weightDecay: 0.01, maxGradientNorm: 1)
            .update(step: 6, learningRate: 1e-4, gradientScale: 1),
        lossSum: 1.5, sourceLossSum: 0.25, norm: 3)

    private static let held = HeldState(run: 7, committedStep: 6, keptStep: 5, commit: nil, hash: 9)

    private static func messages() throws -> [(name: String, text: String)] {
        let key = try #require(PublicKey(String(repeating: "a", count: 40)))
        var peer = MeshPeer(endpoint: "tcp://127.0.0.1:5000", key: key)
        peer.bulk = BulkPlace(
            endpoint: "tcp://127.0.0.1:5001", certificate: CertificateDigest([UInt8](repeating: 10, count: 32)))
        let shape = BERTShape(
            vocabulary: 50, width: 8, layers: 1, heads: 2, feedForward: 16, positions: 16, types: 2, epsilon: 0.5,
            activation: .gelu, hiddenDropout: 0.25, attentionDropout: 0.5, headDropout: 0.125, initializerRange: 0.0625)
        let run = RunDescription(
            id: 7, shape: shape, head: .classification(labels: 3), source: nil, loss: LossOptions(), freeze: ["layer0"],
            lora: LoRA(rank: 2, alpha: 4, targets: [.query], dropout: 0.5), laneCount: 4, seed: 1, hasTypes: true,
            recompute: false)
        let formation = Formation(
            run: run, roster: MeshRoster(generation: 2, token: 5, peers: [peer, peer]), rank: 1, lanes: [0..<4],
            hosts: [0],
            stateFrom: 0, stateTo: [1], step: 6, commit: commit, newest: nil)
        let command = StepCommand(
            step: 7, commit: commit, batches: 2, emptyLanes: [3], lossScale: 11, sourceBatches: 1, sourceScale: 5)
        let ready = StepReady(
            step: 7, losses: [1], sourceLosses: [2], digests: [3], norm: 4, state: 5, compute: 0.25, exchange: 0.5,
            wait: 1,
            bytes: 6)
        let identity = WorkerIdentity(
            version: "1", fingerprint: "f", arithmetic: 1, arithmeticName: "a", host: "h", hostName: "n", processID: 8,
            threads: 2, number: 1, worldSize: 2, key: key, protocols: ProtocolNumbers(control: 0, frames: 0))
        let call = Envelope(
            kind: .call, generation: 3, incarnation: .max - 5, call: 17, settledBelow: 12, sender: "worker-ab",
            recipient: "coordinator", target: "t", payload: [1, 2, 3])
        return [
            ("Envelope", hex(call.bytes)),
            ("WorkerIdentity", try json(identity)), ("HeldState", try json(held)),
            ("PreparedWorker", try json(PreparedWorker(peer: peer, held: held))),
            ("Formation", try json(formation)), ("Commit", hex(commit.words.flatMap(Self.bytes))),
            ("StepCommand", hex(command.words.flatMap(Self.bytes))),
            ("StepReady", hex(ready.words.flatMap(Self.bytes))),
            ("WorkerFailure.generationEnded", try json(WorkerFailure.generationEnded("r"))),
            ("WorkerFailure.unlinked", try json(WorkerFailure.unlinked(ranks: [1], "r"))),
            ("WorkerFailure.outOfOrder", try json(WorkerFailure.outOfOrder("r"))),
            ("WorkerFailure.memoryChanged", try json(WorkerFailure.memoryChanged("r"))),
            ("JoinRefused", try json(JoinRefused("r"))),
            ("\(Worker<ZeroMQActorSystem>.wireName).", names(WorkerCall.self)),
            ("\(Coordinator<ZeroMQActorSystem>.wireName).", names(CoordinatorCall.self)),
            (
                "errors",
                [WorkerFailure.wireName, JoinRefused.wireName, ClusterError.wireName].joined(separator: " ")
            ),
        ]
    }

    private static func names<Call: CaseIterable & RawRepresentable<String>>(_ type: Call.Type) -> String {
        Call.allCases.map(\.rawValue).joined(separator: " ")
    }

    private static func frames() -> [(name: String, text: String)] {
        let header = FrameHeader(
            kind: 3, sender: 1, generation: 7, step: 3, bucket: 1, offset: 0x0123_4567_89AB_CDEF, count: 2)
        let kinds: [ShardFrame.Kind] = [
            .lane, .chunk, .parameters, .first, .second, .touched, .sourceLane, .featureChunk, .features, .scores,
        ]
        return [("FrameHeader", hex(FrameCodec.encode(header, payloadBytes: 8)))]
            + kinds.map { ("\($0)", "\($0.rawValue)") }
    }

    private static let entries: [JournalEntry] = {
        var progress = RunProgress()
        progress.step = 6
        let step = CommittedStep(
            incarnation: 1, generation: 2, commit: commit, plan: 3, lanes: [4, 5], redone: true, seconds: 0.5)
        return [
            .run(
                id: 7, after: 4,
                identity: RunIdentity(data: ["train": "ab"], model: ["config.json": "cd"], labels: "ef"),
                format: JournalEntry.format),
            .generation(2), .formed(generation: 2, after: 4, state: 8), .counted(from: 5, through: 5), .committed(step),
            .moved(to: 6), .renamed(run: 9), .progress(progress),
        ]
    }()

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// JSON with its keys in order; other text as it is.
    private static func sorted(_ bytes: [UInt8]) throws -> String {
        guard let value = try? JSONSerialization.jsonObject(with: Data(bytes)) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    private static func bytes(_ word: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
