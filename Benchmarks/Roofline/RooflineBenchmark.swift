// Where the time of a training step goes, and how near it comes to the time of its matrix products alone.
//
//     RooflineBenchmark [--steps 20] [--max-length 128] [--batch-size 32] [--recompute]
//         [--model DIR] [--train FILE] [--json FILE]
//
// One process, one thread, two lanes: the default job. Prints a table of the kinds of work, and writes the same as
// JSON.

internal import Configuration
import Foundation
internal import RooflineMeters
internal import Runs

struct Options {
    var steps = 20
    var configuration: TrainingConfiguration
    var json: String?

    init() {
        let files = DefaultFiles(environment: ProcessInfo.processInfo.environment)
        configuration = TrainingConfiguration(model: files.model, train: files.train, output: "", threads: 1)
        configuration.lanes = 2
        var arguments = CommandLine.arguments.dropFirst().makeIterator()
        while let name = arguments.next() {
            if name == "--recompute" {
                configuration.recompute = true
                continue
            }
            guard let value = arguments.next() else { Self.refuse(name) }
            switch name {
            case "--steps": steps = Self.count(name, value)
            case "--max-length": configuration.maxLength = Self.count(name, value)
            case "--batch-size": configuration.batchSize = Self.count(name, value)
            case "--lanes": configuration.lanes = Self.count(name, value)
            case "--model": configuration.model = value
            case "--train": configuration.train = value
            case "--json": json = value
            default: Self.refuse(name)
            }
        }
    }

    private static func count(_ name: String, _ value: String) -> Int {
        guard let count = Int(value), count > 0 else { refuse("\(name) \(value)") }
        return count
    }

    private static func refuse(_ what: String) -> Never {
        let hint = "see the head of Benchmarks/Roofline/RooflineBenchmark.swift"
        FileHandle.standardError.write(Data("roofline: \(what) is not an option or lacks its value: \(hint)\n".utf8))
        exit(2)
    }
}

@main
enum RooflineBenchmark {
    static func main() async throws {
        let options = Options()
        let inputs = try RunInputs(options.configuration)
        let job = Job(inputs)
        let report = try await job.measure(steps: options.steps)
        print(report.table)
        guard let path = options.json else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(report).write(to: URL(fileURLWithPath: path))
    }
}
