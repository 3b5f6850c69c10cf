package import Learning

extension EpochCount: ConfigurationEntry {
    package static var needed: String { "a number, such as 3 or 0.5" }

    package init?(_ value: ConfigurationValue) {
        guard let number = Double(value) else { return nil }
        self.init(number)
    }

    package var value: ConfigurationValue { .text(Int(exactly: passes).map { String($0) } ?? String(passes)) }
}
