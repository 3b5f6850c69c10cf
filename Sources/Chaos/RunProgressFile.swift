internal import Foundation

/// The progress of a run, from the files in its folder.
struct RunProgressFile {
    let output: String

    /// The newest step in `metrics.jsonl`; 0 before the first.
    var step: Int {
        guard let file = FileHandle(forReadingAtPath: output + "/metrics.jsonl") else { return 0 }
        defer { try? file.close() }
        guard let size = try? file.seekToEnd() else { return 0 }
        try? file.seek(toOffset: size > 8_192 ? size - 8_192 : 0)
        let lines = ((try? file.readToEnd()) ?? Data()).split(separator: 0x0A)
        return lines.lazy.reversed().compactMap { Self.step(String(decoding: $0, as: UTF8.self)) }.first ?? 0
    }

    /// The checkpoint that is being written, if any.
    var unfinishedCheckpoint: String? {
        ((try? FileManager.default.contentsOfDirectory(atPath: output + "/checkpoints")) ?? []).first {
            $0.hasSuffix(".partial") && !$0.hasSuffix(".removed.partial")
        }
    }

    /// All steps in `metrics.jsonl`, in order.
    var steps: [Int] {
        ((try? String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8)) ?? "").split(separator: "\n")
            .compactMap { Self.step(String($0)) }
    }

    private static func step(_ line: String) -> Int? {
        guard line.contains("\"event\":\"step\""), let range = line.range(of: "\"step\":", options: .backwards) else {
            return nil
        }
        return Int(line[range.upperBound...].prefix(while: \.isNumber))
    }
}
