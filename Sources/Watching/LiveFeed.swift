internal import Files

/// The contents of a live page, and what changes in them. Pure.
struct LiveFeed {
    private(set) var contents: JSONValue

    /// The whole contents as an event.
    var full: String { Self.event("full", contents) }

    /// - Returns: the event that brings readers of the earlier contents up to date; nil if nothing has changed.
    mutating func update(_ new: JSONValue) -> String? {
        defer { contents = new }
        guard new["runs"]?.array?.count == contents["runs"]?.array?.count else { return Self.event("full", new) }
        let changed = (new.members ?? []).compactMap { member -> JSONValue.Member? in
            let old = contents[member.key]
            if member.value == old { return nil }
            return member.key == "runs" ? .init("runs", Self.runs(member.value, old)) : member
        }
        return changed.isEmpty ? nil : Self.event("change", .object(changed))
    }

    private static func runs(_ new: JSONValue, _ old: JSONValue?) -> JSONValue {
        .array(
            zip(new.array ?? [], old?.array ?? []).map { new, old in
                .object(
                    (new.members ?? []).compactMap { member in
                        let before = old[member.key]
                        if member.value == before { return nil }
                        return member.key == "steps" ? .init("steps", steps(member.value, before)) : member
                    })
            })
    }

    /// The columns from the first index on at which any differs; all of them if their names differ.
    private static func steps(_ new: JSONValue, _ old: JSONValue?) -> JSONValue {
        let (columns, before) = (new.members ?? [], old?.members ?? [])
        guard columns.map(\.key) == before.map(\.key) else { return new }
        let same = zip(columns, before).map { column, before in
            zip(column.value.array ?? [], before.value.array ?? []).prefix { $0 == $1 }.count
        }
        let from = same.min() ?? 0
        return .object([
            .init("from", .integer(from)),
            .init(
                "columns",
                .object(columns.map { .init($0.key, .array(Array(($0.value.array ?? []).dropFirst(from)))) })),
        ])
    }

    /// JSON has no line breaks outside its strings, which escape them.
    private static func event(_ name: String, _ data: JSONValue) -> String { "event: \(name)\ndata: \(data.line)\n\n" }
}
