// Feeds every reader of foreign bytes with inputs drawn from a seed, and says how many.
//
//     FuzzBenchmark [--inputs PER-TARGET=10000] [--seed 0] [--target NAME…] [--examples FOLDER]
//
// A reader that crashes, reads out of bounds or takes more memory than its input justifies ends this program with a signal.
internal import Foundation
internal import FuzzTargets

func value(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    return arguments.firstIndex(of: name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
}

let inputs = value("--inputs").flatMap { Int($0) } ?? 10_000
let seed = value("--seed").flatMap { UInt64($0) } ?? 0
let targets = value("--target").map { name in FuzzTarget.allCases.filter { $0.rawValue == name } } ?? FuzzTarget.allCases

if let folder = value("--examples") {
    for target in targets {
        let place = URL(filePath: folder).appending(path: target.rawValue)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (number, example) in target.examples.enumerated() { try Data(example).write(to: place.appending(path: "example-\(number)")) }
    }
    exit(0)
}
/// At once, so that a crash comes after it.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

// What was being read is found in the core's or the sanitizer's stack; the seed gives the same inputs again.
for (place, target) in targets.enumerated() {
    var mutation = Mutation(of: target, seed: seed &+ UInt64(place) << 32)
    for example in target.examples { precondition(target.run(example), "\(target): an example is refused") }
    var taken = 0
    for _ in 0..<inputs where target.run(mutation.next()) { taken += 1 }
    say("\(target.rawValue): \(inputs) inputs, \(taken) taken for what it reads")
}
say("\(inputs * targets.count) inputs, no crash")
