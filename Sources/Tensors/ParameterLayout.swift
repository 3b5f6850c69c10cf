/// The position of each named parameter in the buffer of all parameters, and of its gradient in the buffer of
/// gradients.
///
/// Parameters follow each other without gaps. Frozen parameters have no gradient. A row-sparse table, of which
/// a batch touches few rows, comes last: its gradient travels as rows, and only its optimizer state is dense.
package struct ParameterLayout: Sendable {
    /// One parameter and its positions; all in elements.
    package struct Entry: Sendable {
        package let name: String
        package let shape: [Int]
        /// First element in the buffer of parameters.
        package let offset: Int
        /// First element in the buffers of gradients and optimizer state; nil if frozen.
        package let gradientOffset: Int?
        /// Whether weight decay applies: not to biases and layer norms.
        package let decays: Bool
        /// Whether the gradient is kept as touched rows.
        package let isRowSparse: Bool

        package var count: Int { shape.reduce(1, *) }
        package var range: Range<Int> { offset..<(offset + count) }
    }

    package let entries: [Entry]
    /// Elements of all parameters.
    package let count: Int
    /// Elements of all dense gradients.
    package let denseCount: Int
    /// Elements of optimizer state: dense gradients, then the row-sparse table.
    package let stateCount: Int
    private let indices: [String: Int]

    /// A model's declaration of one parameter.
    package struct Declaration {
        package let name: String
        package let shape: [Int]
        package let decays: Bool
        package let isRowSparse: Bool

        package init(_ name: String, _ shape: [Int], decays: Bool, isRowSparse: Bool = false) {
            self.name = name
            self.shape = shape
            self.decays = decays
            self.isRowSparse = isRowSparse
        }
    }

    package init(_ declarations: [Declaration], isFrozen: (String) -> Bool) {
        var entries: [Entry] = []
        var (offset, gradient) = (0, 0)
        var sparse = 0
        for (place, declaration) in declarations.enumerated() {
            precondition(!declaration.isRowSparse || place == declarations.count - 1, "a row-sparse table comes last")
            let trained = !isFrozen(declaration.name)
            let entry = Entry(
                name: declaration.name, shape: declaration.shape, offset: offset,
                gradientOffset: trained ? gradient : nil,
                decays: declaration.decays, isRowSparse: declaration.isRowSparse)
            entries.append(entry)
            offset += entry.count
            if trained && declaration.isRowSparse { sparse = entry.count } else if trained { gradient += entry.count }
        }
        self.entries = entries
        count = offset
        denseCount = gradient
        stateCount = gradient + sparse
        indices = Dictionary(entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The same parameters with others frozen.
    package func freezing(_ isFrozen: (String) -> Bool) -> ParameterLayout {
        ParameterLayout(
            entries.map { Declaration($0.name, $0.shape, decays: $0.decays, isRowSparse: $0.isRowSparse) },
            isFrozen: isFrozen)
    }

    /// Whether any of these parameters has a gradient.
    package func isTrained(_ places: Range<Int>) -> Bool { entries[places].contains { $0.gradientOffset != nil } }

    /// The index in `entries` of a parameter; nil if there is none.
    package func index(of name: String) -> Int? { indices[name] }

    /// The row-sparse table, if it is trained.
    package var sparseTable: Entry? { entries.last.flatMap { $0.isRowSparse && $0.gradientOffset != nil ? $0 : nil } }
}
