import Foundation
import Testing

/// Inputs drawn from a seed, for every reader of bytes that others write.
///
/// A separate process: it counts each reader's memory, and a crash says which reader.
@Suite struct FuzzTests {
    @Test func `100,000 mutated inputs crash no reader and make none take more memory than they justify`() throws {
        let program = ApusProcess.builtBeside("FuzzBenchmark")
        let run = try ScriptRun(shell: "'\(program.path)' --inputs 100000 --seed 1")
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.contains("100000 inputs, no crash"), "\(run.text)")
    }
}
