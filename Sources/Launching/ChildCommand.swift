internal import Foundation

/// A process that a launcher starts and supervises.
struct ChildCommand: Sendable {
    let executable: String
    let arguments: [String]
    /// Written to its standard input first, which stays open.
    let opening: Data
    /// Where it runs, for messages: empty, or ` on HOST`.
    var place = ""
    /// Whether it resumes the run in its folder.
    var resumes = false
}
