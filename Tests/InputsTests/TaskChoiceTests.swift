import Foundation
import Testing

@testable import Configuration
@testable import Inputs
@testable import TextData

/// The task that labels without `--task` stand for.
@Suite struct TaskChoiceTests {
    @Test(arguments: [
        ["TCP/IP", "UDP"], ["C++", "C", "C#"], ["R&D", "sales"], ["a/b", "c/d"], ["+a", "a"], ["a&", "a"],
    ])
    func `a sign in the name of a class parts nothing`(rows: [String]) throws {
        #expect(try choice(rows).note == nil, "\(rows)")
        #expect(try choice(rows, asked: .multiLabel).note?.contains("no text has several labels") == true, "\(rows)")
        #expect(try dataset(rows).labelLists() == rows.map { [$0] })
    }

    private func choice(
        _ rows: [String], label: String? = nil, asked: TaskChoice.Task? = nil, header: String = "text\tlabel"
    ) throws -> TaskChoice {
        try TaskChoice(asked, of: try dataset(rows, label: label, header: header))
    }

    /// - Parameter rows: a label a row, of a TSV file, or objects of JSON lines.
    private func dataset(_ rows: [String], label: String? = nil, header: String = "text\tlabel") throws -> Dataset {
        let isJSON = rows[0].hasPrefix("{")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent(isJSON ? "a.jsonl" : "a.tsv")
        let text = isJSON ? rows.joined(separator: "\n") : ([header] + rows.map { "x\t" + $0 }).joined(separator: "\n")
        try Data((text + "\n").utf8).write(to: file)
        return try Dataset(path: file.path, columns: ColumnNames(label: label), labels: .required)
    }

    private func lists(_ rows: String...) -> [String] { rows.map { #"{"text":"x","labels":\#($0)}"# } }

    @Test func `plain labels need no word`() throws {
        for (rows, task) in [
            (["0", "1"], TaskChoice.Task.classification), (["good", "bad"], .classification),
            (["0.5", "1"], .regression), (["-1", "3"], .classification),
            (["Portland, Oregon", "Salem, Oregon"], .classification), (["good", "1.5"], .classification),
        ] {
            let choice = try choice(rows)
            #expect(choice.task == task && choice.note == nil, "\(rows)")
        }
    }

    @Test(arguments: [["good,long", "bad", "bad,short"], ["a,b", "a,c", "b,c"]])
    func `labels in combinations are offered as several labels`(rows: [String]) throws {
        let choice = try choice(rows)
        #expect(choice.task == .classification && choice.note?.contains("--task multi-label") == true)
    }

    @Test func `several columns are labels where they hold 0 and 1, and numbers otherwise`() throws {
        let flags = try choice(["1\t0", "0\t0"], label: "a,b", header: "text\ta\tb")
        #expect(flags.task == .multiLabel && flags.note?.contains("--task multi-label") == true)
        let numbers = try choice(["1\t0", "0\t2"], label: "a,b", header: "text\ta\tb")
        #expect(numbers.task == .regression && numbers.note?.contains("--task regression") == true)
        let decimals = try choice(["1.0\t0.0", "0.0\t0.5"], label: "a,b", header: "text\ta\tb")
        #expect(decimals.task == .regression && decimals.note?.contains("(found \"0.5\")") == true)
        let printed = try choice(["1.00\t0.000e+00", "0.00\t1.0e+00"], label: "a,b", header: "text\ta\tb")
        #expect(printed.task == .multiLabel)
        #expect(throws: DatasetError.self) { try choice(["1\tgood", "0\tbad"], label: "a,b", header: "text\ta\tb") }
    }

    @Test func `lists are labels or targets by what is in them, and the choice is said`() throws {
        #expect(try choice(lists(#"["good"]"#, "[]")).task == .multiLabel)
        for (rows, task) in [
            (lists("[1, 0, 0]", "[0, 1, 1]"), TaskChoice.Task.multiLabel),
            (lists("[true, false]", "[false, false]"), .multiLabel),
            (lists("[0.2, 1.5]", "[1, 2]"), .regression), (lists("[3, 4]", "[5, 6]"), .regression),
            (lists("[0, 2]", "[1]"), .multiLabel),
            (["1,0,0", "0,1,1"], .multiLabel), (["0.2,1.5", "1,2"], .regression), (["0,2,3", "1"], .multiLabel),
        ] {
            let choice = try choice(rows)
            #expect(choice.task == task && choice.note?.contains("--task \(task.rawValue)") == true, "\(rows)")
        }
    }

    @Test func `zeros and ones with spaces between are several labels, and without them are questioned`() throws {
        let flags = try choice(["1 0 1", "0 1 1"])
        #expect(flags.task == .multiLabel && flags.note?.contains("3 labels") == true)
        #expect(try choice(["1 0 1", "0 1"]).task == .classification)
        #expect(try choice(["tensor([0, 0, 1])", "tensor([1, 0, 1])"]).task == .multiLabel)
        for asked in [nil, TaskChoice.Task.multiLabel] {
            #expect(throws: DatasetError.self) { try choice(["101", "011"], asked: asked) }
        }
        for rows in [["0", "1"], ["10", "11"], ["001", "002"]] {
            #expect(try choice(rows).task == .classification, "\(rows)")
        }
        #expect(try choice(["101", "011"], asked: .classification).task == .classification)
    }

    @Test func `tuples and numbers with exponents are what they are, and tags a row each are said`() throws {
        #expect(try choice(["(1, 0, 0)", "(0, 1, 1)"]).note?.contains("3 labels") == true)
        #expect(try choice(["[1.0000e+00 0.0000e+00]", "[0.0000e+00 0.0000e+00]"]).task == .multiLabel)
        #expect(try choice(["(0.5, 2)", "(1.5, 3)"]).task == .regression)
        let tags = try choice(["O", "B-PER", "I-PER"])
        #expect(tags.task == .classification && tags.note?.contains(".conll") == true)
    }

    @Test func `a small set of labels with commas between is offered as multi-label`() throws {
        let offer = try choice(["good,long", "good", "long", "good, bad"])
        #expect(offer.task == .classification)
        #expect(offer.note?.contains("(bad, good, long): --task multi-label") == true)
    }

    @Test(arguments: ["|", ";", "/", "+", "&"])
    func `what parts labels instead of commas is said`(separator: String) throws {
        let rows = ["good\(separator)long", "good", "long"]
        #expect(try choice(rows).note?.contains("--task multi-label") == true)
        #expect(try choice(rows, asked: .multiLabel).note?.contains("separate the labels") == true)
        #expect(try choice(["good", "good,long"], asked: .multiLabel).note == nil)
        #expect(throws: DatasetError.self) { try choice(["1\(separator)0", "0\(separator)1"]) }
    }

    @Test(arguments: ["null", "NaN", "NA", "None"])
    func `a missing label is called what it is`(missing: String) throws {
        let error = #expect(throws: DatasetError.self) { try choice(["0", missing, "1"]) }
        #expect(error?.line == 3 && error?.problem.contains("\"\(missing)\"") == true)
        for asked in [nil, TaskChoice.Task.classification] {
            let words = try choice(["good", missing, "bad"], asked: asked)
            #expect(words.task == .classification && words.note?.contains("\"\(missing)\"") == true)
        }
    }

    @Test func `a decimal comma does not silently make classes or several targets`() throws {
        for rows in [["0,5", "1,25"], ["0,5", "1"], ["-1,5", "2"], ["0,5", "1,5", "NA"]] {
            #expect(throws: DatasetError.self) { try choice(rows) }
        }
        #expect(try choice(["0,5", "1,25"], asked: .regression).note?.contains("two numbers") == true)
        #expect(try choice(["0.2,1.5", "1,2"], asked: .regression).note == nil)
        #expect(try choice(["1.0", "0.0"]).note?.contains("--task regression") == true)
    }

    @Test func `numbers as people write them are refused with how to write them`() throws {
        for rows in [["1.234,50", "2,5"], ["1,234.50", "1,000.00"], ["1 234,5", "2 000"], ["1'234.5", "5"]] {
            for asked in [nil, TaskChoice.Task.regression] {
                let error = #expect(throws: DatasetError.self) {
                    _ = try choice(rows, asked: asked)
                    _ = try dataset(rows).targets()
                }
                #expect(error?.problem.contains("write it as") == true, "\(rows)")
            }
            #expect(try choice(rows, asked: .classification).task == .classification)
        }
        #expect(throws: DatasetError.self) { try choice(["3,5", "2.5", "1"]) }
        #expect(try choice(["12 %", "5 %"]).note?.contains("\"12 %\"") == true)
    }

    @Test func `a word among fractions does not make classes of them`() throws {
        let numbers = (1...20).map { "\($0).5" }
        let error = #expect(throws: DatasetError.self) { try choice(numbers + ["good"]) }
        #expect(error?.line == 22 && error?.problem.contains("\"good\" is not a number") == true)
        #expect(try choice(numbers + ["good"], asked: .classification).task == .classification)
        let whole = try choice((1...20).map(String.init) + ["<1"])
        #expect(whole.task == .classification && whole.note?.contains("\"<1\" in line 22 is a class beside") == true)
        #expect(try choice(["0x1a", "0x2b"]) == choice(["a", "b"]))
    }
}
