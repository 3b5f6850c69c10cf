internal import Foundation
internal import Processes
package import TorchFiles
internal import Wording

/// `apus convert`: a process of its own reads the files of strangers, and another one waits for it.
package enum Conversion {
    /// Hidden flag of the process that reads.
    package static let limited = "--limited"

    /// Converts in a process with limits on memory and time, and returns what it said.
    /// - Throws: ``InputError`` with one line; nothing is at `output` then.
    package static func run(_ input: String, to output: String) throws -> String {
        let conversion = try FolderConversion(input, to: output)
        let process = try SpawnedProcess(
            ownProgram(), ["convert", input, output, limited], environment: [:], output: .apart)
        // What it says is a line, which a pipe holds.
        guard let end = process.end(before: .distantFuture) else { preconditionFailure("an endless wait ended") }
        func text(_ handle: FileHandle?) -> String {
            let bytes = try? handle?.readToEnd()
            return String(decoding: bytes ?? Data(), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        switch end {
        case .status(0): return text(process.output)
        case .status(2): throw InputError(String(text(process.errors).trimmingPrefix("apus: ")))
        case .status, .signal:
            conversion.removePartial()
            throw InputError(
                "\(input): reading it took more than \(ConversionLimits.memory >> 30) GiB of memory or "
                    + "\(ConversionLimits.seconds / 60) minutes of a processor, or failed: do not use this file")
        }
    }

    /// The process that reads.
    package static func runLimited(_ input: String, to output: String) throws -> String {
        ConversionLimits.set()
        return try FolderConversion(input, to: output).run()
    }
}

extension FolderConversion.Failure: BadInput {}
