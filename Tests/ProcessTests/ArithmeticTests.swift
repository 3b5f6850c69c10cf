import Foundation
import Kernels
import Testing

/// Settings that must not change the bits of a run, and the choice of a BLAS.
@Suite struct ArithmeticTests {
    private static let options = ["--max-steps", "4", "--batch-size", "9", "--learning-rate", "1e-3"]

    /// Makes a shared library of a few lines of C.
    private static func library(_ job: SmallJob, _ name: String, _ source: String) throws {
        try job.write("\(name).c", source)
        let made = try ScriptRun(shell: "clang -shared -fPIC -O1 -o '\(job.path(name))' '\(job.path("\(name).c"))'")
        try #require(made.status == 0, "\(made.text)")
    }

    private func digest(
        _ job: SmallJob, _ name: String, _ options: [String] = [], _ environment: [String: String] = [:]
    ) throws -> String {
        let run = try ApusProcess(job.command(name, Self.options + options), environment: environment)
        #expect(run.status == 0, "\(run.complaint)")
        return try FinishedRun(job, name).digest
    }

    @Test func `OpenBLAS's core type, a library that flushes to zero and threads do not show in the bits`() throws {
        let job = try SmallJob()
        let plain = try digest(job, "plain", ["--threads", "1"])
        for (number, core) in ["Haswell", "SkylakeX", "Nehalem"].enumerated() {
            #expect(
                try digest(job, "core-\(number)", ["--threads", "2"], ["OPENBLAS_CORETYPE": core]) == plain, "\(core)")
        }
        // Flush to zero, denormals are zero, and rounding towards zero.
        try Self.library(
            job, "flush.so",
            """
            __attribute__((constructor)) static void f(void) {
            #if defined(__x86_64__)
                __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0xe040);
            #elif defined(__aarch64__)
                __asm__ volatile("msr fpcr, %0" : : "r"(0x1c00000ul));
            #endif
            }

            """)
        for threads in ["1", "2"] {
            #expect(
                try digest(job, "flush-\(threads)", ["--threads", threads], ["LD_PRELOAD": job.path("flush.so")])
                    == plain)
        }
        let workers = try ApusProcess(
            job.launch("flush-workers", workers: 2, Self.options),
            environment: job.environment.merging(["LD_PRELOAD": job.path("flush.so")]) { $1 })
        #expect(workers.status == 0, "\(workers.complaint)")
        #expect(try FinishedRun(job, "flush-workers").digest == plain)
    }

    @Test func `each instruction set gives the same bits, and one that the processor lacks is refused`() throws {
        let job = try SmallJob()
        let plain = try digest(job, "plain")
        for level in Arithmetic.vectorLevels {
            #expect(try digest(job, level, [], ["APUS_VECTOR_LEVEL": level]) == plain, "\(level)")
            let version = try ApusProcess(["--version"], environment: ["APUS_VECTOR_LEVEL": level])
            #expect(version.output.hasSuffix("vector kernels \(level)\n"))
        }
        let refused = try ApusProcess(
            job.command("refused", Self.options), environment: ["APUS_VECTOR_LEVEL": "avx1024"])
        expectOneLine(
            refused, status: 2, "APUS_VECTOR_LEVEL is 'avx1024'", Arithmetic.vectorLevels.joined(separator: ", "))
        #expect(!job.exists("refused"))
    }

    @Test func `own kernels need no OpenBLAS, and little address space`() throws {
        let job = try SmallJob()
        try job.write("libopenblas.so.0", "not a library")
        let plain = try digest(job, "plain")
        #expect(try digest(job, "without", [], ["LD_LIBRARY_PATH": job.folder.path]) == plain)
        let command = ([ApusProcess.executable.path] + job.command("small", Self.options)).map { "'\($0)'" }.joined(
            separator: " ")
        let limited = try ScriptRun(shell: "ulimit -v 1500000; timeout 50 \(command)")
        #expect(limited.status == 0, "\(limited.text)")
    }

    @Test func `OpenBLAS gives one digest for any threads and workers, and nearly the same loss as own kernels`() throws
    {
        let job = try SmallJob()
        let openblas = ["--blas", "openblas"]
        let one = try digest(job, "one", openblas + ["--threads", "1"])
        #expect(try digest(job, "two", openblas + ["--threads", "2"]) == one)
        let workers = try ApusProcess(
            job.launch("workers", workers: 2, Self.options + openblas), environment: job.environment)
        #expect(workers.status == 0, "\(workers.complaint)")
        #expect(try FinishedRun(job, "workers").digest == one)
        _ = try digest(job, "own")
        func losses(_ name: String) throws -> [Double] {
            try FinishedRun(job, name).events("step").compactMap { $0["loss"] as? Double }
        }
        #expect(try zip(losses("one"), losses("own")).allSatisfy { abs($0 - $1) < 1e-4 })
        let refused = try ApusProcess([
            "train", "--resume", "--output", job.path("one"), "--blas", "own", "--max-steps", "6",
        ])
        expectOneLine(refused, status: 2, "blas was openblas, now own")
    }

    @Test func `a checkpoint that another library computed is refused with both`() throws {
        let job = try SmallJob()
        _ = try digest(job, "run", ["--blas", "openblas"], ["OPENBLAS_CORETYPE": CoreType.old.name])
        let before = try job.bytes("run/config.yaml")
        let refused = try ApusProcess(
            ["train", "--resume", "--output", job.path("run"), "--max-steps", "6"],
            environment: ["OPENBLAS_CORETYPE": CoreType.other.name])
        expectOneLine(
            refused, status: 2, "core type \(CoreType.old.shown), this is arithmetic 1 with OpenBLAS",
            "core type \(CoreType.other.shown)", "start a new run")
        #expect(try job.bytes("run/config.yaml") == before)
    }

    @Test(arguments: ["own", "openblas"])
    func bothWaysToMultiplyMeetTheReferences(blas: String) throws {
        let cases = ["classify", "mean", "masked-lm", "words"].map {
            repository.appending(path: "Tests/Fixtures/golden/\($0)").path
        }
        let run = try ApusProcess(["verify", "--blas", blas] + cases)
        #expect(run.status == 0, "\(run.complaint)")
        let reports = try FinishedRun.lines(run.output)
        #expect(reports.count == cases.count)
        for report in reports {
            for (value, most) in [
                ("hidden", 1e-5), ("logits", 1e-5), ("loss", 1e-5), ("gradients", 1e-4), ("weights", 1e-5),
            ] {
                #expect(try #require(report[value] as? Double) < most, "\(value) in \(report)")
            }
        }
    }

    // MARK: Bad input

    @Test(arguments: [["train"], ["launch", "--workers", "2"]])
    func aLibraryThatCannotBeUsedIsRefusedBeforeAnyWork(command: [String]) throws {
        let job = try SmallJob()
        let environment = job.environment.merging(["LD_LIBRARY_PATH": job.folder.path]) { $1 }
        func run(_ blas: String) throws -> ApusProcess {
            try ApusProcess(
                command + job.command("run", Self.options + ["--blas", blas]).dropFirst(), environment: environment)
        }
        expectOneLine(try run("mkl"), status: 2, "mkl", "own or openblas")
        try job.write("libopenblas.so.0", "not a library")
        expectOneLine(try run("openblas"), status: 2, "OpenBLAS cannot be loaded", "--blas own")
        try Self.library(job, "libopenblas.so.0", "int other;\n")
        expectOneLine(try run("openblas"), status: 2, "has no function cblas_sgemm")
        let names =
            "const char *openblas_get_corename(void) { return \"Odd\"; } const char *openblas_get_config(void) { "
            + "return \"OpenBLAS 9 MAX_THREADS=1\"; }"
        try Self.library(
            job, "libopenblas.so.0", "void openblas_set_num_threads(int n) {} \(names) void cblas_sgemm(void) {}\n")
        expectOneLine(try run("openblas"), status: 2, "gives wrong matrix products")
        #expect(!job.exists("run"))
    }

    @Test func `more threads than the library was built for are refused`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("run", ["--blas", "openblas", "--threads", "4000"]))
        expectOneLine(run, status: 2, "4000 threads", "lower --threads")
        #expect(!job.exists("run"))
    }

    // MARK: Prediction

    @Test func `a text has the same logits alone, in any company and in any order`() throws {
        let trained = try InferenceTests.Trained()
        var texts = SmallText.samples(rows: 150, labels: ["bad", "good"], seed: 5).map(\.text) + ["", "a"]
        func lines(_ texts: [String], _ threads: String) throws -> [String] {
            let run = try ApusProcess(
                "predict", "--model", trained.best, "--threads", threads, input: texts.joined(separator: "\n") + "\n")
            #expect(run.status == 0, "\(run.complaint)")
            return run.output.split(separator: "\n").map(String.init)
        }
        let together = try lines(texts, "1")
        #expect(together.count == texts.count)
        #expect(try lines(texts, "2") == together)
        for place in stride(from: 0, to: texts.count, by: 19) {
            #expect(try lines([texts[place]], "1") == [together[place]])
        }
        let turned = try lines(texts.reversed(), "2")
        #expect(turned == together.reversed())
        texts.removeLast(100)
        #expect(try lines(texts, "1") == Array(together.prefix(texts.count)))
    }
}
