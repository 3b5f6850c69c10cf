import Foundation
import Testing

/// A run whose disk is full for a while loses nothing.
@Suite(.enabled(if: SmallDisk.isAllowed, "a mount of one's own needs user namespaces"))
struct FullDiskTests {
    /// Every epoch has a better validation than the one before.
    private static let options = [
        "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-5", "--metric", "loss", "--epochs", "1000000",
    ]

    /// Runs a script that ends with the run being asked to stop, and compares the bits with an undisturbed run's.
    ///
    /// - Parameter disturbance: in bash. `heard WORDS` waits for the run's words, `fill` leaves no room on the disk and
    ///   `room` makes some.
    private func run(_ job: SmallJob, workers: Int?, _ disturbance: String, location: SourceLocation = #_sourceLocation)
        throws -> String
    {
        try FileManager.default.createDirectory(atPath: job.path("disk"), withIntermediateDirectories: false)
        var command = job.command("disk/run", Self.options, validation: true)
        if let workers { command = ["launch", "--workers", "\(workers)", "--threads", "1"] + command.dropFirst() }
        try job.write(
            "disturb",
            """
            cd '\(job.folder.path)'
            : >words
            mount -t tmpfs -o size=20m none disk || exit 99
            TMPDIR=$PWD '\(ApusProcess.executable.path)' \(command.map { "'\($0)'" }.joined(separator: " ")) >words \
            2>&1 &
            run=$!
            trap 'kill -9 $run $filler 2>/dev/null' EXIT
            heard() { timeout -s KILL 50 grep -qm1 -e "$1" <(tail -n "+${2:-1}" -f --pid=$run words) || { echo "not \
            heard: $1"; cat words; exit 98; }; }
            # Also what the run itself frees is taken: a file that it had replaced meanwhile.
            more() { while sleep 0.01; do dd if=/dev/zero of=disk/fill bs=4k oflag=append conv=notrunc; done; }
            fill() { dd if=/dev/zero of=disk/fill bs=64k 2>/dev/null; more 2>/dev/null & filler=$!; }
            room() { kill -9 $filler; wait $filler; rm disk/fill; } 2>/dev/null
            \(disturbance)
            kill -INT $run
            wait $run
            status=$?
            cp -r disk/run kept
            cat words
            exit $status
            """)
        let script = try ScriptRun(shell: "unshare --user --map-root-user --mount bash '\(job.path("disturb"))'")
        #expect(script.status == 130, "\(script.text)", sourceLocation: location)
        let stopped = try #require(
            script.text.matches(of: /stopped after step ([0-9]+)/).last, "\(script.text)", sourceLocation: location)
        let last = try #require(Int(stopped.1)) + 2
        let resumed = try job.resume("kept", "--max-steps", "\(last)", location: location)
        #expect(resumed.steps == Array(1...last), sourceLocation: location)
        let whole = try ApusProcess(job.command("whole", Self.options + ["--max-steps", "\(last)"], validation: true))
        #expect(whole.status == 0, "\(whole.complaint)", sourceLocation: location)
        let undisturbed = try FinishedRun(job, "whole")
        #expect(resumed.digest == undisturbed.digest, sourceLocation: location)
        func scored(_ run: FinishedRun) -> [Int] { run.events("evaluation").compactMap { $0["step"] as? Int } }
        #expect(scored(resumed) == scored(undisturbed), sourceLocation: location)
        #expect(
            try job.bytes("kept/model-best/model.safetensors") == job.bytes("whole/model-best/model.safetensors"),
            sourceLocation: location)
        return script.text
    }

    @Test(arguments: [nil, 2]) func `no checkpoint, best model or line is lost for good`(workers: Int?) throws {
        let text = try run(
            SmallJob(), workers: workers,
            """
            heard 'epoch 3/'
            fill
            heard 'CHECKPOINT OF STEP .* FAILED'
            heard 'BEST MODEL, OF STEP .* FAILED'
            room
            heard 'there is room again'
            """)
        #expect(text.contains("No space left on device") && !text.contains("Success"), "\(text)")
    }

    @Test func `a coordinator that dies while there is no room is started again and goes on`() throws {
        let text = try run(
            SmallJob(), workers: 2,
            """
            heard 'epoch 3/'
            fill
            heard 'BEST MODEL, OF STEP .* FAILED'
            kill -9 $(pgrep -P $run -f ' coordinate ')
            heard 'it restarts'
            line=$(wc -l <words)
            heard 'generation .*: 2 workers' $line
            heard 'BEST MODEL, OF STEP .* FAILED' $line
            room
            heard 'there is room again' $line
            """)
        #expect(text.contains(" free, a checkpoint and the model need "), "\(text)")
    }
}
