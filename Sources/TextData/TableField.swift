/// Fields of tables that are written.
package enum TableField {
    /// A field of CSV, quoted if RFC 4180 requires it.
    package static func csv(_ text: String) -> String {
        let isPlain = !text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        // By bytes: a quote and a combining mark after it are one Character.
        return isPlain
            ? text
            : "\"" + String(decoding: text.utf8.flatMap { $0 == 0x22 ? [$0, $0] : [$0] }, as: UTF8.self) + "\""
    }
}
