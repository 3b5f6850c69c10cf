internal import Foundation
internal import Transport
internal import Wording

/// Key files for a coordinator and workers that are started without apus launch.
package enum KeyFolder {
    /// Creates the folder and its key files, each readable only by its owner.
    /// - Returns: one line per file on where to copy it.
    package static func make(_ folder: String, workers: Int) throws -> String {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw InputError("\(folder) cannot be created (\(error.localizedDescription)): choose another folder")
        }
        let rings = KeyRing.generate(workers: workers)
        let coordinator = folder + "/coordinator.key"
        let files = (1...workers).map { "\(folder)/worker-\($0).key" }
        do {
            try KeyFile.write(rings.coordinator, to: coordinator)
            for (file, ring) in zip(files, rings.workers) { try KeyFile.write(ring, to: file) }
        } catch {
            throw InputError(error.description)
        }
        let others = workers == 1 ? files[0] : "\(files[0]) to worker-\(workers).key"
        return """
            \(coordinator): for the coordinator, as APUS_KEY_FILE of apus coordinate; lists the workers' keys, one \
            per line
            \(others): for the workers, as APUS_KEY_FILE of apus work; copy to each host its own, with mode 600
            """
    }
}
