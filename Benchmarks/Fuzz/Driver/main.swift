// Feeds every reader of foreign bytes with inputs drawn from a seed, and says how many.
//
//     FuzzBenchmark [--inputs TOTAL=100000] [--seed 0] [--target NAME…] [--examples FOLDER]
//
// A reader that crashes, reads out of bounds or takes more memory than its input justifies ends this program with a
// signal.
internal import Foundation
internal import FuzzTargets

func value(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    return arguments.firstIndex(of: name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
}

let inputs = value("--inputs").flatMap { Int($0) } ?? 100_000
let seed = value("--seed").flatMap { UInt64($0) } ?? 0
let targets =
    value("--target").map { name in FuzzTarget.allCases.filter { $0.rawValue == name } } ?? FuzzTarget.allCases

if let folder = value("--examples") {
    for target in targets {
        let place = URL(filePath: folder).appending(path: target.rawValue)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (number, example) in target.examples.enumerated() {
            try Data(example).write(to: place.appending(path: "example-\(number)"))
        }
    }
    exit(0)
}
/// At once, so that a crash comes after it.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// How many of all inputs a target gets. A tokenizer is built from each one, which takes a hundred times as long as any
/// other.
func share(of target: FuzzTarget) -> Int {
    guard targets.count > 1 else { return inputs }
    let slow = inputs / 100
    let others = targets.filter { $0 != .tokenizer }
    if target == .tokenizer { return slow }
    let rest = targets.contains(.tokenizer) ? inputs - slow : inputs
    return rest / others.count + (target == others[0] ? rest % others.count : 0)
}

// What was being read is found in the core's or the sanitizer's stack; the seed gives the same inputs again.
for (place, target) in targets.enumerated() {
    var mutation = Mutation(of: target, seed: seed &+ UInt64(place) << 32)
    for example in target.examples { precondition(target.run(example), "\(target): an example is refused") }
    var taken = 0
    for _ in 0..<share(of: target) where target.run(mutation.next()) { taken += 1 }
    say("\(target.rawValue): \(share(of: target)) inputs, \(taken) taken for what it reads")
}
say("\(inputs) inputs, no crash")
