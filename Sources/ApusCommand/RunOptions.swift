internal import ArgumentParser
internal import Configuration

/// The run's folder, and the resources of this machine that it may use.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "YAML file with these options as keys; the command line takes precedence.", valueName: "file"))
    var config: String?
    @Option(help: ArgumentHelp("Folder of the run. (default: runs/<time>-<model>-<number>)", valueName: "dir"))
    var output: String?
    @Flag(help: "Resume the run in --output.")
    var resume = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Steps between checkpoints. (default: each epoch)", valueName: "steps"))
    var checkpointEvery: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Checkpoints to keep; 0: none after the end. (default: 2, and the newest after the end)", valueName: "count"
        ))
    var keep: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Fixed parts of a global batch; with the same lanes a run gives the same bits. (default: by the batch "
                + "size)",
            valueName: "count"))
    var lanes: Int?
    @Option(
        help: ArgumentHelp(
            "Matrix products: own, with the same bits on every processor, or openblas. (default: own)",
            valueName: "name"))
    var blas: String?
    @Option(
        help: ArgumentHelp(
            "The encoder's products: float32, bf16 (fast on AMD since Zen 4) or bf16-amx (fast on Intel since Sapphire "
                + "Rapids); each has its own bits. (default: float32)",
            valueName: "name"))
    var precision: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads of one worker. (default: the cores divided among the workers)", valueName: "count"))
    var threads: Int?
    @Option(
        help: ArgumentHelp(
            "auto: a line that is redrawn on a terminal, else lines at growing intervals; bar or plain: one of the "
                + "two; off: news only. (default: auto)", valueName: "how"))
    var progress: String?
    @Flag(help: "Write nothing for TensorBoard.")
    var noTensorboard = false
    @Flag(help: "Recompute activations in the backward pass: less memory, more time.")
    var recompute = false

    func give(to given: inout GivenOptions) {
        given.give(.output, output)
        given.give(.resume, resume ? true : nil)
        given.give(.checkpointEvery, checkpointEvery)
        given.give(.keep, keep)
        given.give(.lanes, lanes)
        given.give(.blas, blas)
        given.give(.precision, precision)
        given.give(.threads, threads)
        given.give(.progress, progress)
        given.give(.noTensorboard, noTensorboard ? true : nil)
        given.give(.recompute, recompute ? true : nil)
    }
}
