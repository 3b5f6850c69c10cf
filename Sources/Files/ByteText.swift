internal import Foundation

/// A number of bytes as people read it: three digits at least, in the largest decimal unit that is not larger than it.
package struct ByteText: CustomStringConvertible {
    private let bytes: Int

    package init(_ bytes: Int) { self.bytes = bytes }

    package var description: String {
        let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
        var (value, unit) = (Double(bytes), 0)
        // 999.95 and more would be shown as 1000.0.
        while value >= 999.5, unit + 1 < units.count { (value, unit) = (value / 1_000, unit + 1) }
        if unit == 0 { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
        return String(format: value < 9.95 ? "%.2f" : value < 99.5 ? "%.1f" : "%.0f", value) + " \(units[unit])"
    }
}
