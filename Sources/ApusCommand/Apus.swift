import Kernels

@main
struct ApusCommand {
    static func main() throws {
        BLASInformation.useOneThread()
        if CommandLine.arguments.count == 1 { return scratchBench() }
        for f in CommandLine.arguments.dropFirst() { try scratchVerify(f) }
    }
}
