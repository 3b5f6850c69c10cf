/// What Git LFS leaves in place of a large file that was not fetched: a few lines of text.
package enum GitPointer {
    /// The pointer's first bytes.
    private static let beginning = Array("version https://git-lfs.github.com/spec/v1".utf8)

    /// What such a file is and what to do, without the path.
    package static let problem =
        "is a Git LFS pointer, not the file itself: run 'git lfs install' once and 'git lfs pull' in that folder"

    /// Refuses a pointer.
    package static func refuse(_ file: MappedFile) throws(FileError) {
        guard file.count >= beginning.count, file.bytes(0..<beginning.count) == beginning else { return }
        throw FileError(file.path, problem)
    }

    /// Whether there is a pointer at `path`.
    package static func isAt(_ path: String) -> Bool {
        guard let file = try? MappedFile(path) else { return false }
        do { try refuse(file) } catch { return true }
        return false
    }
}
