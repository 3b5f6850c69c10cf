internal import ArgumentParser
internal import Foundation
internal import Inputs
internal import TextData

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn texts into token ids.",
        discussion: """
            Reads JSON lines {"text", "pair", "max_length", "lowercase"} from standard input, all but "text" \
            optional, and writes one line {"ids", "types"} for each. Examples:
              $ echo '{"text": "a quiet film"}' | apus tokenize --model bert-base-uncased
              $ apus tokenize --model bert-base-uncased < texts.jsonl > ids.jsonl
            """)

    @Option(help: ArgumentHelp("Folder or name of the model whose vocabulary is used.", valueName: "dir"))
    var model: String

    func run() throws {
        let folder = try SourceModel.folder(model, weights: false)
        try ModelPath.check(folder, needsModel: false)
        var lines = try TokenLines(folder: URL(fileURLWithPath: folder))
        while let chunk = try StandardInput.chunk() {
            try Self.answer { output throws in try lines.answer(chunk, to: &output) }
        }
        try Self.answer { output throws in try lines.finish(to: &output) }
    }

    /// Writes the output appended by `fill`, even if it stopped at a bad line.
    private static func answer(_ fill: (inout [UInt8]) throws -> Void) throws {
        var output: [UInt8] = []
        do {
            try fill(&output)
        } catch {
            try StandardOutput.write(output)
            throw error
        }
        try StandardOutput.write(output)
        try StandardOutput.flush()
    }
}
