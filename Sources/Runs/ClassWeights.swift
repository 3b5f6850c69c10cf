internal import TextData
internal import Wording

/// The weights of a task's classes, from `--class-weights`.
enum ClassWeights {
    /// - Parameter given: `balanced`, or LABEL=WEIGHT for some labels, each as the data or as the model names it.
    /// - Returns: (C) weights; empty if none were given.
    static func values(_ given: [String], _ labels: LabelSet?, _ samples: SampleLabels) throws(InputError) -> [Float] {
        guard !given.isEmpty else { return [] }
        guard let labels else { throw InputError("--class-weights needs classes, but the task has none: leave it out") }
        if given == ["balanced"] { return balanced(samples, count: labels.count) }
        var weights = [Float](repeating: 1, count: labels.count)
        for pair in given {
            // A label itself may contain an equals sign.
            guard let sign = pair.lastIndex(of: "="), let weight = Float(pair[pair.index(after: sign)...]), weight > 0,
                weight.isFinite
            else {
                throw InputError(
                    "--class-weights has '\(pair)', expected 'balanced' or LABEL=WEIGHT with a weight above 0")
            }
            let word = String(pair[..<sign])
            guard let place = labels.index(of: word) ?? labels.names.firstIndex(of: word) else {
                let known = labels.words.prefix(10).joined(separator: ", ")
                throw InputError("--class-weights names the label '\(word)', expected one of \(known): fix it")
            }
            weights[place] = weight
        }
        return weights
    }

    /// n / (C n_c): each class has the same total weight. Source: King and Zeng 2001; scikit-learn's "balanced".
    private static func balanced(_ samples: SampleLabels, count: Int) -> [Float] {
        let classes: [Int32] =
            switch samples {
            case .classes(let classes): classes
            case .tokens(let labels): labels.classes
            case .none, .values, .masked: []
            }
        var counts = [Int](repeating: 0, count: count)
        for label in classes { counts[Int(label)] += 1 }
        return counts.map { $0 == 0 ? 1 : Float(Double(classes.count) / (Double(count) * Double($0))) }
    }
}
