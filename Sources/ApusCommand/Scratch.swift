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
