import Apus

/// Labels texts: `Reviews MODEL TEXT…` prints a line for each.
let arguments = CommandLine.arguments
let texts = Array(arguments.dropFirst(2))
let classifier = try TextClassifier(model: arguments[1])
for (text, prediction) in zip(texts, classifier.predict(texts)) {
    print("\(prediction.label ?? "none")\t\(prediction.probabilities.count) classes\t\(text)")
}
print("Apus \(Apus.version)")
