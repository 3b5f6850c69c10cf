/// The aliases of a YAML text: `*name`, in the place of what `&name` named before.
///
/// Aliases of what has aliases itself multiply: thirteen lines stand for more values than any memory holds, and a
/// parser that compares keys looks at each.
package enum YAMLAliases {
    /// With so few the values are some hundred thousand at most.
    package static let most = 32

    /// How many there may be; words with a star in comments and quotes count, too.
    package static func count(in text: String) -> Int {
        var count = 0
        var previous = UInt8(ascii: "\n")
        var isStar = false
        for byte in text.utf8 {
            if isStar, byte > 0x20 { count += 1 }
            isStar = byte == UInt8(ascii: "*") && (previous <= 0x20 || ",[{:-?".utf8.contains(previous))
            previous = byte
        }
        return count
    }
}
