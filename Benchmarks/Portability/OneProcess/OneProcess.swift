import Configuration
import Foundation
import Inputs
import Kernels
import Learning
import Processes
import Runs

/// Trains in this process as `apus train --config FILE` does, without the modules that run over several processes.
///
/// Their generic distributed actors need Swift 6.3. This program is for places with an older compiler;
/// scripts/test-arm64.sh builds it. Package.swift does not have it.
@main
enum OneProcess {
    static func main() {
        Arithmetic.setFloatEnvironment()
        let arguments = CommandLine.arguments
        guard arguments.count == 2 else {
            end("found \(arguments.count - 1) arguments, expected one: a file of options")
        }
        do {
            print("vector kernels: \(Arithmetic.vectorLevel)")
            try train(ConfigurationFile.read(arguments[1]), Invocation(arguments: arguments))
        } catch {
            end("\(error)")
        }
    }

    private static func train(_ given: GivenOptions, _ invocation: Invocation) throws {
        let configuration = try TrainingConfiguration.resolve(
            given, cores: ProcessorCount.usable, now: Date(),
            files: DefaultFiles(environment: ProcessInfo.processInfo.environment)
        ).withModelFolder()
        let run = try TrainingRun(configuration, invocation, stop: StopRequest())
        let inputs = run.inputs
        let replica = Replica(
            model: try run.firstModel, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let progress = try run.begin(replica)
        try waitFor {
            try await run.run(SingleProcessEngine(inputs: inputs, replica: replica, debug: false), from: progress)
        }
    }

    private static func end(_ problem: String) -> Never {
        FileHandle.standardError.write(Data("one-process: \(problem)\n".utf8))
        exit(2)
    }
}
