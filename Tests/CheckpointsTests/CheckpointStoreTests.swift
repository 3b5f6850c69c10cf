import Foundation
import Synchronization
import Testing

@testable import Checkpoints
@testable import Files

/// Copies the whole folder before each step: the files that a process would leave behind if it ended there.
final class PicturingSteps: FileSteps {
    private let folder: String
    private let pictures: String
    private let count = Counter()

    init(_ folder: String, pictures: String) {
        self.folder = folder
        self.pictures = pictures
    }

    func before(_ step: String, _ path: String) throws(FileError) {
        let picture = "\(pictures)/\(count.next())"
        do { try FileManager.default.copyItem(atPath: folder, toPath: picture) } catch {
            throw FileError(picture, "\(error)")
        }
    }

    var taken: [String] { (0..<count.value).map { "\(pictures)/\($0)" } }
}

@Suite struct CheckpointStoreTests {
    private func save(_ store: CheckpointStore, _ step: Int, keep: Int = 2) throws {
        try store.save(step: step, keep: keep) { (folder, steps) throws(FileError) in
            try SafetensorsWriter.write(
                [tensor("a", [40], from: Float(step))], to: folder + "/model.safetensors", steps: steps)
            try FileSystem.replace(folder + "/state.json", with: Array("{\"step\": \(step)}\n".utf8), steps: steps)
        }
    }

    /// Expects that the newest complete checkpoint has the values saved at its step; returns the step.
    private func checkedStep(_ store: CheckpointStore) throws -> Int? {
        guard let found = store.newestWhole().found else { return nil }
        #expect(try SafetensorsFile(found.path + "/model.safetensors").floats("a").first == Float(found.step))
        #expect(try JSONValue(parsing: FileSystem.read(found.path + "/state.json"))["step"]?.integer == found.step)
        return found.step
    }

    @Test func keepsTheNewest() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder("run/checkpoints"))
        #expect(store.newestWhole().found == nil)
        for step in [2, 9, 10, 100] { try save(store, step) }
        #expect(store.savedSteps == [10, 100])
        #expect(names(in: store.folder) == ["step-10", "step-100"])
        #expect(names(in: store.folder + "/step-100") == ["manifest.json", "model.safetensors", "state.json"])
        #expect(try checkedStep(store) == 100)
        #expect(store.newestWhole().passedOver.isEmpty)
        try save(store, 101, keep: 0)
        #expect(store.savedSteps == [101])
    }

    @Test func `after the end there are as many as are wanted, and for none no folder`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder("run/checkpoints"))
        for step in 1...3 { try save(store, step, keep: 9) }
        store.prune(keep: 9)
        #expect(store.savedSteps == [1, 2, 3])
        store.prune(keep: 1)
        #expect(names(in: store.folder) == ["step-3"])
        store.prune(keep: 0)
        #expect(names(in: folder("run")) == [])
    }

    @Test func aStepSavedAgainReplacesTheFirstAndEndsTheFutureAfterIt() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder.path)
        for step in [1, 2, 3] { try save(store, step, keep: 9) }
        try store.save(step: 2, keep: 9) { (path, steps) throws(FileError) in
            try FileSystem.replace(path + "/other", with: [1], steps: steps)
        }
        #expect(names(in: folder.path) == ["step-1", "step-2"])
        #expect(names(in: folder("step-2")) == ["manifest.json", "other"])
        #expect(store.newestWhole().found == .init(step: 2, path: folder("step-2")))
    }

    @Test(arguments: [2, 3])
    func aFailureAtAnyStepLeavesTheOldOrTheNewCheckpoint(next: Int) throws {
        var failures = 0
        for failing in 0..<100 {
            let folder = try TemporaryFolder()
            let store = CheckpointStore(folder: folder("checkpoints"))
            try save(store, 1)
            try save(store, 2)
            let steps = FailingSteps(at: failing)
            do {
                try save(CheckpointStore(folder: store.folder, steps: steps), next, keep: 1)
                if steps.reached <= failing { break }
            } catch { failures += 1 }
            #expect(try [2, next].contains(checkedStep(store)))
            #expect(names(in: store.folder).filter { $0.hasSuffix(".partial") } == [])
            try save(store, 4, keep: 1)
            #expect(names(in: store.folder) == ["step-4"])
        }
        #expect(failures > 10)
    }

    @Test(arguments: [2, 3])
    func aProcessThatEndsAtAnyStepLeavesTheOldOrTheNewCheckpoint(next: Int) throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder("checkpoints"))
        try FileSystem.makeFolder(folder("pictures"))
        try save(store, 1)
        try save(store, 2)
        let steps = PicturingSteps(store.folder, pictures: folder("pictures"))
        try save(CheckpointStore(folder: store.folder, steps: steps), next, keep: 1)
        #expect(steps.taken.count > 10)
        var found: [Int?] = []
        for picture in steps.taken {
            let left = CheckpointStore(folder: picture)
            found.append(try checkedStep(left))
            let unfinished = names(in: picture).filter { $0.hasSuffix(".partial") }
            #expect(left.newestWhole().passedOver.map(\.name) == unfinished)
            #expect(left.newestWhole().passedOver.allSatisfy { $0.reason == "was not finished" })
            try save(left, 4, keep: 1)
            #expect(names(in: picture) == ["step-4"])
        }
        #expect(found.allSatisfy { $0 == 2 || $0 == next })
        #expect(found.first == 2 && found.last == next)
    }

    @Test func theFirstCheckpointIsThereAsAWholeOrNotAtAll() throws {
        let folder = try TemporaryFolder()
        try FileSystem.makeFolder(folder("checkpoints"))
        try FileSystem.makeFolder(folder("pictures"))
        let steps = PicturingSteps(folder("checkpoints"), pictures: folder("pictures"))
        try save(CheckpointStore(folder: folder("checkpoints"), steps: steps), 1)
        let found = try steps.taken.map { try checkedStep(CheckpointStore(folder: $0)) }
        #expect(found.first == .some(nil) && found.last == 1)
    }

    @Test(arguments: ["manifest.json", "model.safetensors", "state.json"])
    func oneChangedByteIsPassedOver(name: String) throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder.path)
        try save(store, 1)
        try save(store, 2)
        let whole = try FileSystem.read(folder("step-2/\(name)"))
        for place in stride(from: 0, to: whole.count, by: 5) {
            var bytes = whole
            bytes[place] ^= 0x10
            try folder.write(bytes, to: "step-2/\(name)")
            // White space of the manifest is all that may change; the files that it speaks of may not.
            if name == "manifest.json", whole[place] == 0x20 || whole[place] == 0x0A { continue }
            let (found, passedOver) = store.newestWhole()
            #expect(found == .init(step: 1, path: folder("step-1")), "byte \(place)")
            #expect(passedOver.map(\.name) == ["step-2"])
            if name != "manifest.json" {
                #expect(
                    passedOver.first?.reason
                        == "\(folder("step-2/\(name)")): differs from the SHA-256 in its manifest: use another "
                        + "checkpoint"
                )
            }
        }
    }

    @Test func damagedCheckpointsArePassedOverWithTheReason() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder.path)
        for step in 1...7 { try save(store, step, keep: 9) }
        try FileManager.default.removeItem(atPath: folder("step-7/state.json"))
        try FileManager.default.removeItem(atPath: folder("step-6/manifest.json"))
        try folder.write("{\"version\": 2, \"files\": {\"a\": {}}}", to: "step-5/manifest.json")
        try folder.write("{\"version\": 1, \"files\": {}}", to: "step-4/manifest.json")
        try folder.write(
            "{\"version\": 1, \"files\": {\"../step-1/state.json\": {\"bytes\": 1, \"sha256\": \"\"}}}",
            to: "step-3/manifest.json")
        try folder.write("short", to: "step-2/state.json")
        let (found, passedOver) = store.newestWhole()
        #expect(found == .init(step: 1, path: folder("step-1")))
        let otherVersion =
            "\(folder("step-5/manifest.json")): is of version 2, expected 1: was it written by another version of Apus?"
        let badEntry =
            "\(folder("step-3/manifest.json")): has no valid entry for ../step-1/state.json: use another checkpoint"
        #expect(
            passedOver == [
                .init(
                    name: "step-7",
                    reason:
                        "\(folder("step-7/state.json")): cannot be opened (No such file or directory): check the path "
                        + "and the permission"
                ),
                .init(
                    name: "step-6",
                    reason: "\(folder("step-6/manifest.json")): is missing or not JSON: use another checkpoint"),
                .init(name: "step-5", reason: otherVersion),
                .init(
                    name: "step-4",
                    reason: "\(folder("step-4/manifest.json")): lists no files: use another "
                        + "checkpoint"),
                .init(name: "step-3", reason: badEntry),
                .init(
                    name: "step-2",
                    reason: "\(folder("step-2/state.json")): has 5 bytes, its manifest says 12: use another "
                        + "checkpoint"),
            ])
    }

    @Test func leftoversAndForeignNamesAreNoCheckpoints() throws {
        let folder = try TemporaryFolder()
        for name in [
            "step-", "step-x", "step-01", "step--1", "step-+1", "step-1 ", "notes", "step-9.partial",
            "step-3.removed.partial",
        ] {
            try FileSystem.makeFolder(folder(name))
            try folder.write("x", to: name + "/model.safetensors")
        }
        let store = CheckpointStore(folder: folder.path)
        #expect(store.savedSteps == [])
        let (found, passedOver) = store.newestWhole()
        #expect(found == nil)
        #expect(passedOver.map(\.name) == ["step-3.removed.partial", "step-9.partial"])
        try save(store, 1)
        #expect(
            names(in: folder.path) == [
                "notes", "step-", "step-+1", "step--1", "step-01", "step-1", "step-1 ", "step-x",
            ])
    }

    @Test func anErrorOfTheWriterReachesTheCaller() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder: folder.path)
        #expect(throws: FileError("x", "was full")) {
            try store.save(step: 1, keep: 1) { (_, _) throws(FileError) in throw FileError("x", "was full") }
        }
        #expect(names(in: folder.path) == [])
    }
}
