/// Unusable input, found before any work.
package struct InputError: BadInput, Equatable, Sendable {
    package let description: String
    package init(_ description: String) { self.description = description }
}
