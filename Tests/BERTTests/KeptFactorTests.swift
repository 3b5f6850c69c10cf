import BERT
import Kernels
import Tensors
import Testing

/// What a model in bf16 keeps for the backward pass.
@Suite struct KeptFactorTests {
    private static let precisions = [Precision.bf16, .bf16AMX]

    private func shape(layers: Int) -> BERTShape {
        BERTShape(
            vocabulary: 37, width: 128, layers: layers, heads: 4, feedForward: 512, positions: 20, types: 2,
            epsilon: 1e-6, activation: .gelu, hiddenDropout: 0, attentionDropout: 0, headDropout: 0,
            initializerRange: 0.02)
    }

    /// The gradient of a few sentences, and the most memory that it took.
    private func pass(_ model: BERTModel, recompute: Bool = false) -> (gradient: [UInt32], loss: Double, bytes: Int) {
        let arena = Arena(chunkSize: 16)
        let memory = LaneMemory()
        let dense = FloatBuffer(count: model.layout.denseCount)
        let sink = GradientSink(layout: model.layout, dense: dense.view, mode: .overwrite, arena: arena)
        let dropout = DropoutContext(model.shape, key: DropoutKey(seed: 3, step: 7))
        let loss = model.laneGradient(
            batch([20, 17, 12, 15], head: model.head), model.weights(randomParameters(model).view, trains: true),
            lossScale: 1, dropout: dropout, recompute: recompute, sink: sink, arena: arena, memory: memory)
        return (dense.view.array.map(\.bitPattern), loss, arena.mostBytes + memory.scratch.mostBytes)
    }

    /// Bytes for four layers more.
    private func growth(_ model: (_ layers: Int) -> BERTModel) -> Int { pass(model(6)).bytes - pass(model(2)).bytes }

    @Test(arguments: precisions)
    func `factors are kept in half the memory, and those of frozen weights not at all`(precision: Precision) {
        func bytes(_ precision: Precision, isFrozen: @escaping (String) -> Bool = { _ in false }) -> Int {
            growth {
                BERTModel(
                    shape: shape(layers: $0), head: .classification(labels: 3), precision: precision, isFrozen: isFrozen
                )
            }
        }
        let (single, rounded) = (bytes(.float32), bytes(precision))
        #expect(Double(rounded) < 0.77 * Double(single), "\(rounded) bytes, in single precision \(single)")
        let biases = bytes(precision) { $0.hasSuffix("dense.weight") }
        #expect(Double(biases) < 0.85 * Double(rounded), "\(biases) bytes, with all weights trained \(rounded)")
    }

    @Test(arguments: [Precision.float32, .bf16])
    func `frozen layers below the lowest trained one keep nothing but outputs`(precision: Precision) {
        let trained = growth {
            BERTModel(shape: shape(layers: $0), head: .classification(labels: 3), precision: precision)
        }
        let frozen = growth { layers in
            BERTModel(
                shape: shape(layers: layers), head: .classification(labels: 3), precision: precision,
                isFrozen: { $0.hasPrefix("bert.e") && !$0.hasPrefix("bert.encoder.layer.\(layers - 1).") })
        }
        #expect(frozen < trained / 5, "\(frozen) and \(trained) bytes")
    }

    @Test(arguments: precisions, LaneGradientTests.heads)
    func `kept and recomputed factors give the same bits`(precision: Precision, head: Head) {
        let adapters = LoRA(rank: 2, alpha: 4, targets: [.query, .value, .output], dropout: 0)
        let models = [
            BERTModel(shape: smallShape(layers: 3, dropout: 0.1), head: head, precision: precision),
            BERTModel(shape: smallShape(layers: 3), head: head, lora: adapters, precision: precision) {
                $0.hasPrefix("bert.") && !LoRA.isAdapter($0)
            },
            BERTModel(shape: smallShape(layers: 3), head: head, precision: precision) {
                $0.hasPrefix("bert.e") && !$0.contains("layer.2") && !$0.hasSuffix("key.weight")
            },
        ]
        for model in models {
            let (kept, recomputed) = (pass(model), pass(model, recompute: true))
            #expect(kept.gradient == recomputed.gradient && kept.loss == recomputed.loss)
            #expect(kept.loss.isFinite && Set(kept.gradient).count > 10)
        }
    }
}
