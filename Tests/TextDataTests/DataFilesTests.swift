import Foundation
import Testing

@testable import TextData

/// Several files, patterns and folders for one split.
@Suite struct DataFilesTests {
    private func folder(_ names: String...) throws -> TemporaryFolder {
        let folder = try TemporaryFolder([String: String]())
        for name in names {
            let file = folder.url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("{\"text\": \"\(name)\", \"label\": \"1\"}\n".utf8).write(to: file)
        }
        return folder
    }

    private func found(_ named: String, in folder: TemporaryFolder, _ part: DataFolder.Part = .train) throws -> [String]
    {
        try DataFiles.paths(folder.path(named), for: part).map { String($0.dropFirst(folder.url.path.count + 1)) }
    }

    @Test(arguments: [
        ("part-*.jsonl", ["part-10.jsonl", "part-2.jsonl"]), ("part-?.jsonl", ["part-2.jsonl"]),
        ("part-[0-9].jsonl", ["part-2.jsonl"]), ("**/*.jsonl", ["deep/er/x.jsonl", "part-10.jsonl", "part-2.jsonl"]),
        ("*/er/*", ["deep/er/x.jsonl"]), (".h*", [".hidden.jsonl"]),
    ])
    func `a pattern has its files in the order of their bytes`(pattern: String, names: [String]) throws {
        let folder = try folder("part-2.jsonl", "part-10.jsonl", "other.csv", ".hidden.jsonl", "deep/er/x.jsonl")
        #expect(try found(pattern, in: folder) == names)
    }

    @Test func `a list keeps its order, and a name with a comma or a star is one file`() throws {
        let folder = try folder("b.jsonl", "a.jsonl", "c,d.jsonl", "e*.jsonl", "ef.jsonl")
        let list = [folder.path("b.jsonl"), folder.path("a.jsonl")].joined(separator: ", ")
        #expect(try DataFiles.paths(list, for: .train) == [folder.path("b.jsonl"), folder.path("a.jsonl")])
        #expect(try found("c,d.jsonl", in: folder) == ["c,d.jsonl"])
        #expect(try found("e*.jsonl", in: folder) == ["e*.jsonl"])
    }

    private func complaint(_ named: String, _ part: DataFolder.Part = .train) -> String {
        let error = #expect(throws: DatasetError.self) { try DataFiles.paths(named, for: part) }
        return error?.problem ?? ""
    }

    @Test func `a pattern without files and a file named twice are refused`() throws {
        let folder = try folder("a.jsonl")
        #expect(complaint(folder.path("b*")).hasPrefix("no file matches this pattern"))
        #expect(
            complaint("\(folder.path("a.jsonl")),\(folder.path("*.jsonl"))") == "is named twice for one split: "
                + "name it once")
    }

    /// The names are those in the documentation of `datasets`.
    @Test(arguments: [
        (["train.csv", "test.csv", "README.md"], ["train.csv"], [], ["test.csv"]),
        (["train.jsonl", "validation.jsonl"], ["train.jsonl"], ["validation.jsonl"], []),
        (["my_train_file.csv", "dev.csv", "eval.csv"], ["my_train_file.csv"], ["dev.csv"], ["eval.csv"]),
        (["training.json", "valid.json", "testing.json"], ["training.json"], ["valid.json"], ["testing.json"]),
        (
            ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl", "data/test-00000-of-00001.jsonl"],
            ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl"], [],
            ["data/test-00000-of-00001.jsonl"]
        ),
        (["train/a.csv", "train/b.csv", "val/a.csv"], ["train/a.csv", "train/b.csv"], ["val/a.csv"], []),
        (["a.jsonl.gz", "b.jsonl.gz", "dataset_infos.json", ".train.csv"], ["a.jsonl.gz", "b.jsonl.gz"], [], []),
        (["train.txt", "notes.txt"], ["train.txt"], [], []),
        (["restrain.csv", "contest.csv"], ["contest.csv", "restrain.csv"], [], []),
    ])
    func `a folder has the splits of its names`(
        names: [String], train: [String], validation: [String], test: [String]
    ) throws {
        let folder = try folder()
        for name in names {
            let file = folder.url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: file)
        }
        let set = DataFolder(folder.url.path)
        for (part, expected) in [(DataFolder.Part.train, train), (.validation, validation), (.test, test)] {
            #expect(set.has(part) == !expected.isEmpty)
            guard set.has(part) else { continue }
            #expect(try set.files(part) == expected.map(folder.path))
        }
    }

    @Test func `a folder that lacks a shard, mixes formats or has other formats is refused`() throws {
        let shards = try folder("data/train-00000-of-00003.jsonl", "data/train-00002-of-00003.jsonl")
        #expect(complaint(shards.url.path).contains("2 of 3 shards, number 1 is missing"))
        let mixed = try folder("train.csv", "train.jsonl")
        #expect(complaint(mixed.url.path).contains("train.csv and train.jsonl are both train data"))
        let parquet = try folder("train.parquet")
        #expect(complaint(parquet.url.path).contains("pandas.read_parquet(\"train.parquet\").to_json(\"train.jsonl\""))
        let half = try folder("train.csv")
        #expect(complaint(half.url.path, .test).contains("it has files for train only"))
        let empty = try folder()
        #expect(complaint(empty.url.path).contains("expected names such as train.csv"))
    }

    @Test func `rows of several files are read as one and know their file`() throws {
        let folder = try TemporaryFolder([
            "1.csv": "text,label\na,x\nb,y\n", "2.csv": "label,text\nx,c\n",
            "3.jsonl": "{\"text\":\"d\",\"label\":\"y\"}",
        ])
        let rows = try Dataset(path: folder.path("[123].*"), labels: .required)
        #expect(rows.texts == ["a", "b", "c", "d"])
        #expect(rows.labels == [["x"], ["y"], ["x"], ["y"]])
        #expect(rows.lines == [2, 3, 2, 1])
        #expect(rows.position(ofRow: 2) == folder.path("2.csv") + ":2")
        #expect(rows.rows([3, 1]).file(ofRow: 0) == folder.path("3.jsonl"))
        let error = #expect(throws: DatasetError.self) { try rows.targets() }
        #expect(error?.path == folder.path("1.csv"))
    }

    @Test func `a file that differs from the first is refused by its name`() throws {
        let folder = try TemporaryFolder([
            "1.csv": "text,label\na,x\n", "2.csv": "text,class\na,x\n",
            "3.jsonl": "{\"text\": \"a\", \"label\": [\"x\"]}\n",
        ])
        for (other, problem) in [("2.csv", "no column \"label\""), ("3.jsonl", "have another form than those of")] {
            let error = #expect(throws: DatasetError.self) {
                try Dataset(path: "\(folder.path("1.csv")),\(folder.path(other))", labels: .required)
            }
            #expect(error?.path == folder.path(other))
            #expect(error?.problem.contains(problem) == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: [
        "[{\"text\": \"a\", \"label\": 1},\n {\"text\": \"b\",\n  \"label\": 0}]\n",
        "\n [\n{\"text\":\"a\",\"label\":1}\n,{\"label\":0,\"text\":\"b\"}]",
    ])
    func `a list of objects is read like lines of objects`(text: String) throws {
        for name in ["a.json", "a"] {
            let folder = try TemporaryFolder([name: text])
            let rows = try Dataset(path: folder.path(name), labels: .required)
            #expect(rows.texts == ["a", "b"])
            #expect(rows.labels == [["1"], ["0"]])
            #expect(rows.lines == rows.lines.sorted() && rows.lines[1] > 1)
        }
    }

    @Test(arguments: [
        ("[{\"text\": \"a\", \"label\": 1} {\"text\"", "line 1: found a {, expected a ,"),
        ("[{\"text\": \"a\", \"label\": 1}\n, 3]", "line 2: the list has something else than objects"),
        ("[{\"text\": \"a\", \"label\": 1}", "line 1: the text ends, expected a ,"),
        ("[{\"text\": \"a\", \"label\": 1}]\n\n3", "line 3: text follows the list"),
        ("[]", "no column looks like a text"),
    ])
    func `a damaged list is refused with its line`(text: String, problem: String) throws {
        let folder = try TemporaryFolder(["a.json": text])
        let error = #expect(throws: DatasetError.self) { try Dataset(path: folder.path("a.json"), labels: .required) }
        #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
    }
}
