internal import Files
internal import Foundation
package import Wording

/// Checks for an output file that must not exist yet.
package enum NewFile {
    /// - Parameter flag: the option.
    /// - Throws: ``InputError`` if the file exists already or its folder does not.
    package static func check(_ path: String, flag: String) throws(InputError) {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw InputError(
                "\(flag) \(path) already exists and is not overwritten: name another file, or remove this one")
        }
        let folder = FileSystem.parent(path)
        guard FileSystem.isFolder(folder) else {
            throw InputError("\(flag) \(path): \(folder) is not a folder: create it, or name another file")
        }
    }
}
