import Foundation
import Testing

@Suite struct CheckpointKillTests {
    /// The command that does so thirty times is for a machine that has the time.
    @Test func `everything is killed while checkpoints are written, and the resumed runs end with the same bits`()
        throws
    {
        let script = repository.appending(path: "Benchmarks/kill-at-checkpoints.sh").path
        let run = try ScriptRun(shell: "APUS='\(ApusProcess.executable.path)' timeout 55 '\(script)' 3")
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.hasSuffix("3 of 3 times the same SHA-256\n"), "\(run.text)")
    }
}
