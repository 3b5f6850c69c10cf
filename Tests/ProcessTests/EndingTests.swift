import ArgumentParser
import Configuration
import Testing
import Wording

@testable import ApusCommand

@Suite struct EndingTests {
    @Test func `each kind of error has its exit status`() {
        #expect(Ending(RunError("it broke")).status == 1)
        #expect(Ending(ConfigurationError.resumeWithoutOutput).status == 2)
        #expect(Ending(SignalStop(signal: 2, "stopped")).status == 130)
        #expect(Ending(SignalStop(signal: 15, "stopped")).status == 143)
        #expect(Ending(StandardOutput.ReaderGone()).status == 0)
        #expect(Ending(CancellationError()).status == 1)
    }

    @Test func `other trainers' names are translated only where they are options`() throws {
        #expect(
            try FieldNames.translated(["train", "--lr=1", "--output-dir", "x"]) == [
                "train", "--learning-rate=1", "--output", "x",
            ])
        #expect(try FieldNames.translated(["inspect", "--lr"]) == ["inspect", "--lr"])
        #expect(try FieldNames.translated(["launch", "--", "--lr", "1"]) == ["launch", "--learning-rate", "1"])
        #expect(try FieldNames.translated([]) == [])
        #expect(
            try FieldNames.translated(["train", "--label-column", "a", "b", "--label_column=c", "d"]) == [
                "train", "--label-column", "a,b", "--label-column", "c,d",
            ])
        for files in [["--train", "a", "b", "c"], ["--train=a", "b", "c"], ["--train_file", "a", "b", "c"]] {
            #expect(
                try FieldNames.translated(["train"] + files + ["--test", "d"]) == [
                    "train", "--train", "a,b,c", "--test", "d",
                ])
        }
        #expect(try FieldNames.translated(["train", "--train", "--test=d"]) == ["train", "--train", "--test=d"])
    }

    @Test func `frozen patterns may be repeated and may be several`() throws {
        let command = try ApusCommand.parseAsRoot([
            "train", "--freeze", "a.*", "b.*", "--epochs", "1", "--freeze", "c.*",
        ])
        let train = try #require(command as? Train)
        #expect(train.options.given[.freeze] == .list(["a.*", "b.*", "c.*"]))
        #expect(train.options.given[.epochs] == .text("1"))
        #expect(train.options.given[.resume] == nil)
    }
}
