internal import Kernels
package import Tensors

/// The structure of one BERT with its head: which parameters there are and where they lie. It holds no weights.
package struct BERTModel: Sendable {
    package let shape: BERTShape
    package let head: Head
    /// Adapters on the encoder's products, where they are trained in the source weights' stead.
    package let lora: LoRA?
    package private(set) var layout: ParameterLayout
    let places: Places

    /// Number of each parameter in the layout.
    struct Places: Sendable {
        var positionEmbeddings = 0
        var typeEmbeddings = 0
        var embeddingGain = 0
        var embeddingShift = 0
        var layers: [LayerPlaces] = []
        var poolerWeight = 0
        var poolerBias = 0
        var classifierWeight = 0
        var classifierBias = 0
        var transformWeight = 0
        var transformBias = 0
        var transformGain = 0
        var transformShift = 0
        var decoderBias = 0
        var wordEmbeddings = 0
    }

    struct LayerPlaces: Sendable {
        /// Query, key and value follow each other, so that one product serves all three.
        var projectionWeights = 0..<0
        var projectionBiases = 0..<0
        var attentionWeight = 0
        var attentionBias = 0
        var attentionGain = 0
        var attentionShift = 0
        var innerWeight = 0
        var innerBias = 0
        var outerWeight = 0
        var outerBias = 0
        var outerGain = 0
        var outerShift = 0
        var adapters: [LoRA.Target: AdapterPlaces] = [:]
    }

    /// - Parameter isFrozen: whether the parameter of this Hugging Face name stays as it is.
    package init(shape: BERTShape, head: Head, lora: LoRA? = nil, isFrozen: (String) -> Bool = { _ in false }) {
        self.shape = shape
        self.head = head
        self.lora = lora
        var list = DeclarationList()
        var places = Places()
        let (d, f) = (shape.width, shape.feedForward)
        places.positionEmbeddings = list.weight("bert.embeddings.position_embeddings.weight", [shape.positions, d])
        places.typeEmbeddings = list.weight("bert.embeddings.token_type_embeddings.weight", [shape.types, d])
        (places.embeddingGain, places.embeddingShift) = list.norm("bert.embeddings.LayerNorm", d)
        for layer in 0..<shape.layers {
            let name = "bert.encoder.layer.\(layer)"
            var p = LayerPlaces()
            let kinds = ["query", "key", "value"]
            let weights = kinds.map { list.weight("\(name).attention.self.\($0).weight", [d, d]) }
            let biases = kinds.map { list.bias("\(name).attention.self.\($0).bias", d) }
            p.projectionWeights = weights[0]..<(weights[2] + 1)
            p.projectionBiases = biases[0]..<(biases[2] + 1)
            (p.attentionWeight, p.attentionBias) = list.linear("\(name).attention.output.dense", d, d)
            (p.attentionGain, p.attentionShift) = list.norm("\(name).attention.output.LayerNorm", d)
            (p.innerWeight, p.innerBias) = list.linear("\(name).intermediate.dense", f, d)
            (p.outerWeight, p.outerBias) = list.linear("\(name).output.dense", d, f)
            (p.outerGain, p.outerShift) = list.norm("\(name).output.LayerNorm", d)
            places.layers.append(p)
        }
        switch head {
        case .classification, .regression:
            (places.poolerWeight, places.poolerBias) = list.linear("bert.pooler.dense", d, d)
            (places.classifierWeight, places.classifierBias) = list.linear("classifier", head.outputs(shape), d)
        case .maskedLanguageModel:
            (places.transformWeight, places.transformBias) = list.linear("cls.predictions.transform.dense", d, d)
            (places.transformGain, places.transformShift) = list.norm("cls.predictions.transform.LayerNorm", d)
            places.decoderBias = list.bias("cls.predictions.bias", shape.vocabulary)
        }
        if let lora {
            for layer in 0..<shape.layers {
                for target in lora.targets {
                    let name = target.product(ofLayer: layer)
                    let (outputs, inputs) = target.size(in: shape)
                    places.layers[layer].adapters[target] = AdapterPlaces(
                        down: list.weight("\(name).lora_A.weight", [lora.rank, inputs]),
                        up: list.weight("\(name).lora_B.weight", [outputs, lora.rank]))
                }
            }
        }
        places.wordEmbeddings = list.table(
            "bert.embeddings.word_embeddings.weight", [shape.vocabulary, d], isRowSparse: head != .maskedLanguageModel)
        self.places = places
        layout = ParameterLayout(list.declarations, isFrozen: isFrozen)
    }

    private struct DeclarationList {
        var declarations: [ParameterLayout.Declaration] = []

        mutating func weight(_ name: String, _ shape: [Int]) -> Int { table(name, shape, isRowSparse: false) }

        mutating func table(_ name: String, _ shape: [Int], isRowSparse: Bool) -> Int {
            declarations.append(.init(name, shape, decays: true, isRowSparse: isRowSparse))
            return declarations.count - 1
        }

        mutating func bias(_ name: String, _ count: Int) -> Int {
            declarations.append(.init(name, [count], decays: false))
            return declarations.count - 1
        }

        mutating func linear(_ name: String, _ outputs: Int, _ inputs: Int) -> (Int, Int) {
            (weight("\(name).weight", [outputs, inputs]), bias("\(name).bias", outputs))
        }

        mutating func norm(_ name: String, _ width: Int) -> (Int, Int) { (bias("\(name).weight", width), bias("\(name).bias", width)) }
    }

    /// The same model with other parameters frozen.
    package func freezing(_ isFrozen: (String) -> Bool) -> BERTModel {
        var model = self
        model.layout = layout.freezing(isFrozen)
        return model
    }

    /// How far up a parameter stands: 0 in the embeddings, 1 to L in the encoder layers, L + 1 in the pooler, L + 2 in a head.
    package func depth(of name: String) -> Int {
        if name.hasPrefix("bert.embeddings.") { return 0 }
        if name.hasPrefix("bert.pooler.") { return shape.layers + 1 }
        let parts = name.split(separator: ".")
        guard parts.count > 3, parts[0] == "bert", parts[1] == "encoder", let layer = Int(parts[3]) else { return shape.layers + 2 }
        return layer + 1
    }

    /// Whether the name is that of a parameter of the head rather than of the encoder.
    package static func isHead(_ name: String) -> Bool { !name.hasPrefix("bert.") }
}

/// The weights of a model, as matrices and vectors.
struct Weights {
    let layout: ParameterLayout
    let values: FloatView

    func vector(_ place: Int) -> FloatView { values[layout.entries[place].range] }

    func matrix(_ place: Int) -> Matrix {
        let entry = layout.entries[place]
        return Matrix(values[entry.range], rows: entry.shape[0], columns: entry.shape[1])
    }

    /// Consecutive weights of equal width as one matrix.
    func matrix(_ places: Range<Int>) -> Matrix {
        let (first, last) = (layout.entries[places.lowerBound], layout.entries[places.upperBound - 1])
        let range = first.offset..<last.range.upperBound
        return Matrix(values[range], rows: range.count / first.shape[1], columns: first.shape[1])
    }

    func vector(_ places: Range<Int>) -> FloatView {
        values[layout.entries[places.lowerBound].offset..<layout.entries[places.upperBound - 1].range.upperBound]
    }
}
