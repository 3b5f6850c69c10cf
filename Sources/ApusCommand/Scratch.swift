import Foundation
import Training
import BERT
import Kernels

struct Mini {
    var header: [String: [String: Any]] = [:]
    let data: Data
    let base: Int
    init(_ path: String) throws {
        data = try Data(contentsOf: URL(fileURLWithPath: path))
        let n = data[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let j = try JSONSerialization.jsonObject(with: data[8..<(8 + n)]) as! [String: Any]
        for (k, v) in j { if let d = v as? [String: Any], d["dtype"] != nil { header[k] = d } }
        base = 8 + n
    }
    func bytes(_ name: String) -> [UInt8] {
        guard let h = header[name] else { fatalError("no \(name)") }
        let o = (h["data_offsets"] as! [NSNumber]).map(\.intValue)
        return [UInt8](data[(base + o[0])..<(base + o[1])])
    }
    func floats(_ name: String) -> [Float] {
        let b = bytes(name)
        return stride(from: 0, to: b.count, by: 4).map { Float(bitPattern: UInt32(b[$0]) | UInt32(b[$0+1]) << 8 | UInt32(b[$0+2]) << 16 | UInt32(b[$0+3]) << 24) }
    }
    func ints(_ name: String) -> [Int64] {
        let b = bytes(name)
        return stride(from: 0, to: b.count, by: 8).map { i in Int64(bitPattern: (0..<8).reduce(UInt64(0)) { $0 | UInt64(b[i + $1]) << UInt64(8 * $1) }) }
    }
}

func scratchVerify(_ folder: String) throws {
    let c = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))) as! [String: Any]
    let s = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: folder + "/steps.json"))) as! [String: Any]
    let m = try Mini(folder + "/model.safetensors"), r = try Mini(folder + "/reference.safetensors")
    func n(_ k: String) -> Int { (c[k] as! NSNumber).intValue }
    func d(_ k: String) -> Double { (s[k] as? NSNumber)?.doubleValue ?? 0 }
    let act = c["hidden_act"] as! String
    let shape = BERTShape(vocabulary: n("vocab_size"), width: n("hidden_size"), layers: n("num_hidden_layers"), heads: n("num_attention_heads"), feedForward: n("intermediate_size"), positions: n("max_position_embeddings"), types: n("type_vocab_size"), epsilon: Float((c["layer_norm_eps"] as! NSNumber).doubleValue), activation: act == "gelu" ? .gelu : act == "relu" ? .relu : .geluTanh, hiddenDropout: 0, attentionDropout: 0, headDropout: 0, initializerRange: 0.02)
    let arch = (c["architectures"] as! [String])[0]
    let labels = (c["id2label"] as? [String: Any])?.count ?? 2
    let head: Head = arch.contains("MaskedLM") ? .maskedLanguageModel : labels == 1 ? .regression : .classification(labels: labels)
    let sh = (r.header["input_ids"]!["shape"] as! [NSNumber]).map(\.intValue)
    let rc = ReferenceCase(name: folder, shape: shape, head: head, optimizer: OptimizerSettings(kind: .adamw, weightDecay: d("weight_decay"), maxGradientNorm: (s["clip"] as? NSNumber)?.doubleValue), schedule: LearningRateSchedule(shape: .linear, peak: d("lr"), warmupSteps: Int(d("warmup")), totalSteps: Int(d("total_steps"))), steps: (s["steps"] as! [Any]).count, weights: { m.floats($0) }, reference: { r.floats($0) }, inputIds: r.ints("input_ids"), attentionMask: r.ints("attention_mask"), tokenTypes: r.ints("token_type_ids"), sentences: sh[0], width: sh[1], labels: head == .maskedLanguageModel ? .words(r.ints("labels")) : head == .regression ? .values(r.floats("labels")) : .classes(r.ints("labels")))
    for (lanes, threads) in [(1, 1), (2, 2), (3, 1), (4, 2)] {
        print(lanes, try Verification(rc, lanes: lanes, threads: threads).run())
    }
}
import Tensors
func scratchBench() {
    let shape = BERTShape(vocabulary: 30522, width: 384, layers: 6, heads: 12, feedForward: 1536, positions: 512, types: 2, epsilon: 1e-12, activation: .gelu, hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1, initializerRange: 0.02)
    let model = BERTModel(shape: shape, head: .classification(labels: 2))
    let p = FloatBuffer(count: model.layout.count)
    var g = SystemRandomNumberGenerator()
    for i in 0..<p.count { p.view[i] = Float.random(in: -0.03...0.03, using: &g) }
    let runner = LaneRunner(model: model, laneCount: 2, threads: 1)
    let replica = Replica(model: model, parameters: p, threads: 1)
    let lanes = (0..<2).map { lane -> [PackedBatch] in
        var b = PackedBatch()
        for s in 0..<16 { b.append(ids: (0..<(14 + s * 25 / 15)).map { _ in Int32.random(in: 0..<30522) }, types: nil as [UInt8]?, position: lane * 16 + s, sample: s) }
        b.targets = .classes((0..<16).map { Int32($0 % 2) })
        return [b]
    }
    print("tokens", lanes[0][0].tokenCount)
    let settings = OptimizerSettings(kind: .adamw, weightDecay: 0, maxGradientNorm: nil)
    let c = ContinuousClock()
    for step in 1...12 {
        let t0 = c.now
        let r = runner.run(LaneWork(firstLane: 0, lanes: lanes, lossScale: 1 / 32, dropout: DropoutContext(shape, key: DropoutKey(seed: 1, step: step))), parameters: p.view)
        let t1 = c.now
        let n = replica.norm(of: r.blocks[0])
        let t2 = c.now
        replica.apply(r.blocks[0], settings.update(step: step, learningRate: 1e-4, gradientScale: 1))
        runner.pool.give(back: r.blocks[0].dense)
        print(step, "grad", t1 - t0, "norm", t2 - t1, n, "adam", c.now - t2, r.losses)
    }
}
