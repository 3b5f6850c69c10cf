package import Kernels
package import Tensors

/// The head of a source task that is trained together with the target task.
package struct SourceHead: Sendable, Equatable, Codable {
    package var head: Head
    /// Encoder layers below it, which both tasks share; those above belong to the target task alone.
    package var sharedLayers: Int

    package init(head: Head, sharedLayers: Int) {
        self.head = head
        self.sharedLayers = sharedLayers
    }

    /// Name patterns of the parameters used only by the target task: its head, and the layers above the shared ones.
    package func targetOnly(_ head: Head, layers: Int) -> [String] {
        let own =
            head == .maskedLanguageModel
            ? ["cls.predictions.*"] : (head.pooling == .cls ? ["bert.pooler.*"] : []) + ["classifier.*"]
        return own + (sharedLayers..<layers).map { "bert.encoder.layer.\($0).*" }
    }
}

/// The structure of one BERT with its heads: its parameters and their positions. It does not contain the weights.
package struct BERTModel: Sendable {
    package let shape: BERTShape
    /// Of the target task.
    package let head: Head
    package let source: SourceHead?
    /// Weights of the target task's errors in training.
    package let loss: LossOptions
    /// Adapters on the encoder's products, if they are trained instead of the source weights.
    package let lora: LoRA?
    /// Of the encoder's products.
    package let precision: Precision
    package private(set) var layout: ParameterLayout
    let places: Places

    /// Number of each parameter in the layout.
    struct Places: Sendable {
        var positionEmbeddings = 0
        var typeEmbeddings = 0
        var embeddingGain = 0
        var embeddingShift = 0
        var layers: [LayerPlaces] = []
        var head = HeadPlaces()
        var sourceHead = HeadPlaces()
        var wordEmbeddings = 0
    }

    struct HeadPlaces: Sendable {
        /// Nil if the head pools otherwise.
        var poolerWeight: Int?
        var poolerBias = 0
        var classifierWeight = 0
        var classifierBias = 0
        var transformWeight = 0
        var transformBias = 0
        var transformGain = 0
        var transformShift = 0
        var decoderBias = 0
    }

    /// One of the heads with the encoder layers below it.
    struct Branch {
        let head: Head
        let layers: Int
        let places: HeadPlaces
        let loss: LossOptions
    }

    /// The head of one of the tasks.
    package func head(of stream: TaskStream) -> Head { branch(stream).head }

    func branch(_ stream: TaskStream) -> Branch {
        guard stream == .source else {
            return Branch(head: head, layers: shape.layers, places: places.head, loss: loss)
        }
        guard let source else { preconditionFailure("a model without a source head was given a source batch") }
        return Branch(head: source.head, layers: source.sharedLayers, places: places.sourceHead, loss: LossOptions())
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

        /// The layer's own parameters.
        var all: Range<Int> { projectionWeights.lowerBound..<(outerShift + 1) }
        /// Those of its second half, the feed-forward network.
        var secondHalf: Range<Int> { innerWeight..<(outerShift + 1) }

        /// Those of its adapters, which follow each other; nil if there are none.
        var adapterPlaces: Range<Int>? {
            guard let first = adapters.values.map(\.down).min(), let last = adapters.values.map(\.up).max() else {
                return nil
            }
            return first..<(last + 1)
        }
    }

    /// - Parameter isFrozen: whether the parameter of this Hugging Face name is not trained.
    package init(
        shape: BERTShape, head: Head, source: SourceHead? = nil, loss: LossOptions = LossOptions(), lora: LoRA? = nil,
        precision: Precision = .float32, isFrozen: (String) -> Bool = { _ in false }
    ) {
        precondition(
            source.map { (1...shape.layers).contains($0.sharedLayers) } ?? true,
            "a source head branches off after an encoder layer")
        self.shape = shape
        self.head = head
        self.source = source
        self.loss = loss
        self.lora = lora
        self.precision = precision
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
        places.head = Self.declare(head, shape, pooler: "bert.pooler", prefix: "", in: &list)
        if let source {
            places.sourceHead = Self.declare(source.head, shape, pooler: "source.pooler", prefix: "source.", in: &list)
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
        let isTied = head == .maskedLanguageModel || source?.head == .maskedLanguageModel
        places.wordEmbeddings = list.table(
            "bert.embeddings.word_embeddings.weight", [shape.vocabulary, d], isRowSparse: !isTied)
        self.places = places
        layout = ParameterLayout(list.declarations, isFrozen: isFrozen)
    }

    private static func declare(
        _ head: Head, _ shape: BERTShape, pooler: String, prefix: String, in list: inout DeclarationList
    ) -> HeadPlaces {
        var places = HeadPlaces()
        let d = shape.width
        guard head != .maskedLanguageModel else {
            (places.transformWeight, places.transformBias) = list.linear(
                "\(prefix)cls.predictions.transform.dense", d, d)
            (places.transformGain, places.transformShift) = list.norm("\(prefix)cls.predictions.transform.LayerNorm", d)
            places.decoderBias = list.bias("\(prefix)cls.predictions.bias", shape.vocabulary)
            return places
        }
        if head.pooling == .cls { (places.poolerWeight, places.poolerBias) = list.linear("\(pooler).dense", d, d) }
        (places.classifierWeight, places.classifierBias) = list.linear("\(prefix)classifier", head.outputs(shape), d)
        return places
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

        mutating func norm(_ name: String, _ width: Int) -> (Int, Int) {
            (bias("\(name).weight", width), bias("\(name).bias", width))
        }
    }

    /// The same model with other parameters frozen.
    package func freezing(_ isFrozen: (String) -> Bool) -> BERTModel {
        var model = self
        model.layout = layout.freezing(isFrozen)
        return model
    }

    /// Height of a parameter: 0 in the embeddings, 1 to L in the encoder layers, L + 1 in the pooler, L + 2 in a head.
    package func depth(of name: String) -> Int {
        if name.hasPrefix("bert.embeddings.") { return 0 }
        if name.hasPrefix("bert.pooler.") { return shape.layers + 1 }
        let parts = name.split(separator: ".")
        guard parts.count > 3, parts[0] == "bert", parts[1] == "encoder", let layer = Int(parts[3]) else {
            return shape.layers + 2
        }
        return layer + 1
    }

    /// The first element of the gradient that a backward pass completes at its very end although it lies behind all
    /// others: the word table if a head is tied to it. Nil if there is none.
    package var lateGradient: Int? {
        layout.sparseTable == nil ? layout.entries[places.wordEmbeddings].gradientOffset : nil
    }

    /// Parameters of the heads of all tasks.
    var headPlaces: Range<Int> {
        let first = places.layers.last.map { $0.outerShift + 1 } ?? places.embeddingShift + 1
        return first..<(places.layers.first?.adapterPlaces?.lowerBound ?? places.wordEmbeddings)
    }

    /// Whether the name is that of a parameter of the head rather than of the encoder.
    package static func isHead(_ name: String) -> Bool { !name.hasPrefix("bert.") }

    /// Whether the name is that of a parameter of the source task's head.
    package static func isSourceHead(_ name: String) -> Bool { name.hasPrefix("source.") }
}

/// The weights of a model, as matrices and vectors.
package struct Weights: Sendable {
    let layout: ParameterLayout
    let values: FloatView
    /// Those of the encoder's products in bf16; nil in single precision.
    let pairs: PairedWeights?

    init(layout: ParameterLayout, values: FloatView, pairs: PairedWeights? = nil) {
        (self.layout, self.values, self.pairs) = (layout, values, pairs)
    }

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
