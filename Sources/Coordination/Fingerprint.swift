internal import BERT
internal import Checkpoints
internal import Files
internal import Foundation
internal import Kernels
internal import Learning
internal import Tensors
internal import Transport
internal import Wording

/// The arithmetic of this machine, as far as it determines bits, and its identity.
package enum Fingerprint {
    /// SHA-256 over losses, gradients and updates of fixed training steps of small models at the run's sizes.
    ///
    /// They use every matrix product and vector function of a step: each kind of head, adapters, a batch of one short
    /// sentence, and one of 449 tokens, more than one block of a product's inner dimension. Equal fingerprints give
    /// equal bits, and hosts with different ones must not train together. The own kernels give the same on every
    /// processor, so there a difference is a fault of the host.
    /// - Complexity: 40 T D (4 D + 2 F) additions and products, a fifth of a second for the default model.
    package static func compute(_ shape: ArithmeticShape) -> String {
        let classes = (0..<10).map { Int32($0 % 3) }
        let long = batch([3, 27, 64, 128, 9, 41, 27, 27, 90, 33], .classes(classes))
        let short = batch([5, 19, 2], .classes([1, 0, 2]))
        let lora = LoRA(rank: 3, alpha: 8, targets: LoRA.Target.allCases, dropout: 0.1)
        let steps = [
            step(shape.model(.classification(labels: 3)), long, sentences: 10),
            step(shape.model(.classification(labels: 3, pooling: .mean), lora: lora), short, sentences: 3),
            step(
                shape.model(.maskedLanguageModel), batch([5, 19], .tokens(rows: [1, 7, 20], classes: [4, 99, 150])),
                sentences: 3),
            step(shape.model(.classification(labels: 3)), batch([1], .classes([2])), sentences: 1),
        ]
        return String(Digests.bytes(Array(steps.joined(separator: " ").utf8)).prefix(16))
    }

    private static func batch(_ lengths: [Int], _ targets: PackedBatch.Targets) -> PackedBatch {
        var batch = PackedBatch()
        for (position, length) in lengths.enumerated() {
            let ids = (0..<length).map { Int32((position * 31 + $0 * 17) % ArithmeticShape.vocabulary) }
            batch.append(ids: ids, types: ids.map { UInt8($0 & 1) }, position: position, sample: position)
        }
        batch.targets = targets
        return batch
    }

    /// The results of one step: digests and bit patterns.
    private static func step(_ model: BERTModel, _ batch: PackedBatch, sentences: Int) -> String {
        let replica = Replica(model: model, parameters: FloatBuffer(count: model.layout.count), threads: 1)
        fill(replica.parameters.view)
        let work = LaneWork(
            firstLane: 0, lanes: [[batch]], lossScale: Float(1 / Double(sentences)),
            dropout: DropoutContext(model.shape, key: DropoutKey(seed: 1, step: 1), adapter: model.lora?.dropout ?? 0))
        let results = LaneRunner(model: model, laneCount: 1, threads: 1).run(work, parameters: replica.parameters.view)
        let gradient = StepGradient(results.blocks[0])
        let norm = replica.norm(of: gradient)
        let optimizer = OptimizerSettings(kind: .adamw, weightDecay: 0.01, maxGradientNorm: 1)
        replica.apply(
            gradient, optimizer.update(step: 1, learningRate: 1e-3, gradientScale: optimizer.clippingFactor(norm: norm))
        )
        let digest = Digests.parameters(
            [("weights", replica.parameters), ("gradient", replica.first), ("squares", replica.second)].map {
                name, values in
                .init(name, [values.count]) { values.view.withSpan($0) }
            })
        return ([digest] + (results.losses + [norm]).map { String($0.bitPattern, radix: 16) }).joined(separator: " ")
    }

    /// Fixed values of a weight's size, which repeat after a prime number of them.
    private static func fill(_ weights: FloatView) {
        var state: UInt32 = 1
        let period = (0..<4_093).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state) >> 8) * 0x1p-27
        }
        let values = FloatBuffer(count: period.count).view
        values.copy(from: period)
        for start in stride(from: 0, to: weights.count, by: period.count) {
            let count = min(period.count, weights.count - start)
            weights.part(from: start, count: count).copy(from: values[0..<count])
        }
    }

    /// Equal for processes that may share memory: same kernel, same namespaces.
    static var host: String {
        let boot = SystemFile.text("/proc/sys/kernel/random/boot_id") ?? "?"
        let spaces = ["net", "ipc", "mnt"].map {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")) ?? "?"
        }
        return ([boot.trimmingCharacters(in: .whitespacesAndNewlines)] + spaces).joined(separator: " ")
    }

    /// The identity of this process.
    static func identity(
        _ shape: ArithmeticShape, threads: Int, number: Int? = nil, worldSize: Int? = nil, key: PublicKey? = nil
    ) -> WorkerIdentity {
        WorkerIdentity(
            version: Build.version, fingerprint: compute(shape), arithmetic: Arithmetic.number,
            arithmeticName: Arithmetic.description, host: host,
            hostName: ProcessInfo.processInfo.hostName, processID: getpid(), threads: threads,
            number: number, worldSize: worldSize, key: key)
    }
}
