internal import ArgumentParser
internal import Configuration
internal import Kernels
internal import Processes
internal import TextData

/// The options that `evaluate` and `predict` share.
struct InferenceArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Folder of the model, or its name on the hub.", valueName: "dir"))
    var model: String
    @Option(
        help: ArgumentHelp(
            "How the input is read. (default: detected from its name and first lines)", valueName: "name"))
    var inputFormat: DataFormat?
    @Option(help: ArgumentHelp("Column of the text.", valueName: "name"))
    var textColumn: String?
    @Option(help: ArgumentHelp("Column of the second text of a pair.", valueName: "name"))
    var pairColumn: String?
    @Option(
        help: ArgumentHelp(
            "Most tokens of a sample including [CLS] and [SEP]. (default: as in training)", valueName: "tokens"))
    var maxLength: Int?
    @Option(help: ArgumentHelp("Threads to compute with. (default: one per core)", valueName: "count"))
    var threads: Int?
    @Option(help: ArgumentHelp("Matrix products.", valueName: "name"))
    var blas = BLAS.own
    @Option(
        help: ArgumentHelp(
            "The encoder's products, however the model was trained. (default: float32)",
            valueName: "name"))
    var precision: Precision?
    @Flag(help: .hidden)
    var bf16 = false

    private var chosenPrecision: Precision { precision ?? (bf16 ? .bf16 : .float32) }

    func validate() throws {
        if let reason = chosenPrecision.refusal(of: blas) { throw ValidationError(reason) }
        if let maxLength, maxLength < 3 {
            throw ValidationError("--max-length is \(maxLength), must be at least 3: [CLS], one token and [SEP]")
        }
        if let threads, !(1...TrainingConfiguration.mostThreads).contains(threads) {
            throw ValidationError(
                "--threads is \(threads), must be a count from 1 to \(TrainingConfiguration.mostThreads)")
        }
    }

    func options(input: String, labelColumn: String?) -> InferenceOptions {
        InferenceOptions(
            model: model, input: input, inputFormat: inputFormat, textColumn: textColumn, pairColumn: pairColumn,
            labelColumn: labelColumn, maxLength: maxLength,
            threads: threads ?? ProcessorCount.usable, blas: blas, precision: chosenPrecision)
    }
}

extension DataFormat: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
