import Foundation
import Testing

/// The program with standard input or standard error that cannot be used.
@Suite struct DescriptorTests {
    /// Runs a line of the shell in which `$apus` is the program.
    private func shell(_ line: String, _ variables: [String: String] = [:]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", line]
        process.environment = testEnvironment.merging(variables) { $1 }.merging(["apus": ApusProcess.executable.path]) {
            $1
        }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test(arguments: ["2>/dev/full", "2>&-", "2>&1 >/dev/null | true"])
    func `an error that nobody can read keeps its status`(redirection: String) throws {
        let line = "(\"$apus\" train --epochs 0; echo $? >&3) 3>\"$status\" \(redirection); cat \"$status\""
        let folder = try ScratchFolder()
        let (_, output) = try shell(line, ["status": folder.url("status").path])
        #expect(output == "2\n")
    }

    @Test(arguments: ["/nonexistent/ready", "$data"])
    func `a health file that cannot be is refused before the run begins`(path: String) throws {
        let job = try SmallJob()
        let line =
            "\"$apus\" coordinate --insecure --workers 1 --model \"$model\" --train \"$data\" --output \"$output\" "
            + "--health-file \"\(path)\" 2>&1"
        let (status, output) = try shell(line, ["model": job.model, "data": job.data, "output": job.path("run")])
        #expect(
            status == 2 && output.hasPrefix("apus: --health-file ") && output.count { $0 == "\n" } == 1, "\(output)")
        #expect(!job.exists("run") && job.exists("train.tsv"))
    }

    @Test func `a closed standard input is told in one line`() throws {
        let job = try SmallJob()
        let (status, output) = try shell("\"$apus\" predict --model \"$model\" <&- 2>&1", ["model": job.model])
        #expect(status == 2)
        #expect(
            output.hasPrefix("apus: ") && output.contains("standard input: cannot be read")
                && output.count { $0 == "\n" } == 1, "\(output)")
    }
}
