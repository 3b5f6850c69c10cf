/// What a file that is not text is, by its first bytes.
struct FileSignature: Error, Equatable {
    /// What it is and what to do, without the path.
    let problem: String

    private static let known: [(bytes: [UInt8], problem: String)] = [
        ([0x1F, 0x8B], "is compressed with gzip: unpack it with gunzip"),
        ([0x42, 0x5A, 0x68], "is compressed with bzip2: unpack it with bunzip2"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "is compressed with xz: unpack it with unxz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "is compressed with zstd: unpack it with unzstd"),
        ([0x50, 0x4B, 0x03, 0x04], "is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV in UTF-8"),
        ([0xD0, 0xCF, 0x11, 0xE0], "is a spreadsheet: save it as CSV in UTF-8"),
        (
            Array("PAR1".utf8),
            "is a Parquet file, which is not read: write it as JSON lines, \(parquetCommand("FILE.parquet") ?? "")"
        ),
        (Array("ARROW1".utf8), "is an Arrow file: write it as CSV or JSON lines, such as with datasets' to_json"),
        (Array("SQLite format 3".utf8), "is an SQLite database: write its table as CSV"),
        ([0x80, 0x04, 0x95], "is a pickle of Python: write it as CSV or JSON lines"),
        ([0x89, 0x48, 0x44, 0x46], "is an HDF5 file: write it as CSV or JSON lines"),
        ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "is an array of NumPy: write it as CSV or JSON lines"),
        (Array("%PDF-".utf8), "is a PDF: save its text as a file of text"),
        ([0xFF, 0xFE], "is UTF-16: save the file as UTF-8"),
        ([0xFE, 0xFF], "is UTF-16: save the file as UTF-8"),
    ]

    /// What valid UTF-8 is that is not the file itself: what Git leaves in place of a large file that was not fetched,
    /// nil for other text.
    ///
    /// UTF-16 without a mark, and binary formats that begin with ASCII, have bytes of 0, which text has not.
    init?(text bytes: [UInt8]) {
        let beginning = bytes.prefix(64)
        if beginning.contains(0) {
            if let found = FileSignature(bytes) {
                self = found
                return
            }
            let isWide =
                beginning.count > 7
                && [0, 1].contains { first in
                    (0..<4).allSatisfy { (bytes[2 * $0 + first] == 0) && bytes[2 * $0 + 1 - first] != 0 }
                }
            guard isWide else { return nil }
            problem = "is UTF-16: save the file as UTF-8"
            return
        }
        guard bytes.starts(with: Array("version https://git-lfs.github.com/spec/v1".utf8)) else { return nil }
        problem =
            "is a Git LFS pointer, not the file itself: run 'git lfs install' once and 'git lfs pull' in that folder"
    }

    /// The command that writes a Parquet file as JSON lines; nil for other names.
    static func parquetCommand(_ name: String) -> String? {
        guard name.lowercased().hasSuffix(".parquet") else { return nil }
        let target = name.dropLast(".parquet".count) + ".jsonl"
        return "python3 -c 'import pandas; pandas.read_parquet(\"\(name)\").to_json(\"\(target)\", "
            + "orient=\"records\", lines=True, force_ascii=False)'"
    }

    /// Nil where the bytes begin as text may.
    init?(_ bytes: [UInt8]) {
        guard let found = Self.known.first(where: { bytes.starts(with: $0.bytes) }) else { return nil }
        problem = found.problem
    }
}
