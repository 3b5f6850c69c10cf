internal import Foundation

/// A number with a fixed count of decimals, the same in every locale; `nan` whatever its sign, which says nothing.
package func decimal(_ value: Double, _ places: Int) -> String {
    value.isNaN ? "nan" : String(format: "%.\(places)f", value)
}

/// Digits in groups of three: "30,522".
package func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    let groups = digits.enumerated().map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + String($1) }
    return (number < 0 ? "-" : "") + groups.joined()
}

/// A count with its noun: "1 step", "2 steps".
package func counted(_ count: Int, _ noun: String, _ nouns: String? = nil) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(nouns ?? noun + "s")"
}
