internal import ArgumentParser
internal import Kernels

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the training path with reference folders: a JSON object of largest errors for each.",
        discussion: """
            Examples:
              $ apus verify Tests/Fixtures/golden/classify
              $ apus verify Tests/Fixtures/golden/*/
            """)

    @Argument(help: ArgumentHelp("Reference folders, such as golden/classify.", valueName: "case"))
    var cases: [String]
    @Option(help: ArgumentHelp("Matrix products: own or openblas. (default: own)", valueName: "name"))
    var blas = BLAS.own
    @Option(
        help: ArgumentHelp("The encoder's products: float32, bf16 or bf16-amx. (default: float32)", valueName: "name"))
    var precision = Precision.float32

    func validate() throws {
        if let reason = precision.refusal(of: blas) { throw ValidationError(reason) }
    }

    func run() throws {
        for folder in cases {
            try StandardOutput.write(line: EntryPoints.verify(case: folder, blas: blas, precision: precision))
            try StandardOutput.flush()
        }
    }
}

extension BLAS: ExpressibleByArgument {}
