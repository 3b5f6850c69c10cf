/// Why a file of PyTorch cannot be converted: one line without the path.
package struct TorchFileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
