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

    func run() throws {
        for folder in cases {
            try StandardOutput.write(line: EntryPoints.verify(case: folder, blas: blas))
            try StandardOutput.flush()
        }
    }
}

extension BLAS: ExpressibleByArgument {}
