import Kernels

@main
struct ApusCommand {
    static func main() throws {
        BLASInformation.useOneThread()
        for f in CommandLine.arguments.dropFirst() { try scratchVerify(f) }
    }
}
