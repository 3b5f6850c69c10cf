// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// For the program: Swift's runtime in it, so that other hosts need none, a start takes 9 ms instead of 15, and a
/// step's control a twelfth less. Both compiler and linker have to know; lld does not warn of what Foundation calls.
let standalone = ["-static-stdlib"]
let optimized = BuildSettingCondition.when(platforms: [.linux], configuration: .release)

/// No compiler fuses a multiplication and an addition that the source writes apart.
let unfused: [CSetting] = [.unsafeFlags(["-ffp-contract=off"])]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A library target of this package; its arrows point down the list below.
func module(_ name: String, _ dependencies: [Target.Dependency], swiftSettings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "apus",
    products: [
        .library(name: "Apus", targets: ["Apus"]),
        .executable(name: "apus", targets: ["ApusCommand"]),
    ],
    traits: [
        .trait(
            name: "MPI",
            description:
                "Workers may exchange gradients through the site's MPI (Debian: libopenmpi-dev): apus work --exchange "
                + "mpi."
        )
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    ],
    targets: [
        .executableTarget(
            name: "ApusCommand",
            dependencies: [
                "Apus", "Chaos", "Launching", "Coordination", "Runs", "Watching", "Inference", "ReferenceChecks",
                "Reports", "Inputs",
                "Configuration", "Learning", "BERT", "Hub", "Console", "Processes", "Checkpoints", "TextData", "Files",
                "Wording", "Cluster",
                "Transport", "Tracing", "Kernels", argumentParser, logging,
            ],
            swiftSettings: strict + [.unsafeFlags(standalone, optimized)],
            linkerSettings: [.unsafeFlags(standalone + ["-use-ld=lld"], optimized)]),
        .executableTarget(
            name: "AllReduceBenchmark", dependencies: ["Collectives", "Reduction", "Transport", "Tensors"],
            path: "Benchmarks/AllReduce",
            swiftSettings: strict),
        .executableTarget(
            name: "RooflineBenchmark",
            dependencies: [
                "Runs", "Configuration", "Learning", "BERT", "Kernels", "Wording", "Tensors", "RooflineMeters",
            ],
            path: "Benchmarks/Roofline",
            swiftSettings: strict),
        .target(name: "RooflineMeters", dependencies: ["CVectorMath"], path: "Benchmarks/RooflineMeters"),
        .executableTarget(
            name: "FuzzBenchmark", dependencies: ["FuzzTargets"], path: "Benchmarks/Fuzz/Driver",
            swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Coordination", "Runs", "BERT", "Cluster", "Transport", "Kernels", "Hub", "TorchFiles",
                "Checkpoints", "TextData", "Files", "CAllocations",
            ],
            path: "Benchmarks/Fuzz/Targets", swiftSettings: strict),
        .target(name: "CAllocations", path: "Benchmarks/Fuzz/CAllocations"),
        module(
            "Chaos",
            [
                "Launching", "Runs", "Configuration", "BERT", "Kernels", "Processes", "Transport", "Checkpoints",
                "Files", "Wording",
            ]),
        module(
            "Launching",
            [
                "Coordination", "Runs", "Inputs", "Configuration", "BERT", "Kernels", "Cluster", "Transport", "Console",
                "Processes", "TorchFiles", "Checkpoints", "Files", "Wording", "Tracing", logging,
            ]),
        module(
            "Coordination",
            [
                "Runs", "Telemetry", "Configuration", "Learning", "Cluster", "Collectives", "Reduction", "BERT",
                "Kernels", "Transport", "Console", "Processes", "Checkpoints", "TextData", "Files", "Wording",
                "Tensors", "Hashes", "Tracing", logging,
            ]),
        module(
            "Runs",
            [
                "Reports", "Telemetry", "Inputs", "Configuration", "Learning", "BERT", "Kernels", "Hub", "Console",
                "Processes", "Checkpoints", "TextData", "Files", "Wording", "Tensors",
            ]),
        module(
            "Watching",
            [
                "Reports", "Inputs", "Learning", "WebServer", "Transport", "Console", "Processes", "Files", "Wording",
            ]),
        module("Apus", ["Inference", "Configuration", "Kernels", "Wording"]),
        module(
            "Inference",
            [
                "Inputs", "Configuration", "Learning", "BERT", "Kernels", "Console", "Processes", "Checkpoints",
                "TextData", "Files", "Wording", "Tensors",
            ]),
        module(
            "Reports",
            [
                "Inputs", "Configuration", "Learning", "Kernels", "Console", "Checkpoints", "TextData", "Files",
                "Wording", "Hashes",
            ]),
        module(
            "Inputs",
            [
                "Configuration", "Learning", "BERT", "Hub", "Console", "Checkpoints", "TextData", "Files", "Wording",
                "Tensors", "CSystem",
            ]),
        module("Telemetry", ["Learning", "Console", "Files", "Wording"]),
        module(
            "Configuration", ["Learning", "BERT", "Kernels", "Hub", "Console", "TextData", "Files", "Wording", yams]),
        module("ReferenceChecks", ["Learning", "BERT", "Kernels", "Checkpoints", "Files", "Tensors"]),
        module("Learning", ["BERT", "Reduction", "Kernels", "TextData", "Wording", "Tensors"]),
        module("BERT", ["Kernels", "Checkpoints", "TextData", "Files", "Tensors"]),
        module("Collectives", ["Reduction", "Transport", "Tensors"]),
        module("Cluster", ["Transport", "Tracing", "Files", "Wording", yams, logging]),
        module("WebServer", ["Transport"]),
        module("Transport", ["CZeroMQ", "CTLS", "CSystem", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
        module("Reduction", ["Tensors"]),
        module("Kernels", ["Wording", "Tensors", "CVectorMath", "CSystem"]),
        module("Console", ["Files", "Wording"]),
        module("Processes", ["TextData", "Files", "Wording", "CSystem"]),
        module("Hub", ["Checkpoints", "Files", "Wording", "CSystem", "Hashes"]),
        module("TorchFiles", ["Checkpoints", "Files"]),
        module("Checkpoints", ["Files", "Hashes"]),
        module("TextData", ["Gzip", "Wording"]),
        module("Gzip", ["CZlib"]),
        module("Files", ["Wording", "CSystem", "Hashes"]),
        module("Tracing", [logging]),
        module("Wording", []),
        module("Hashes", ["CHashes"]),
        module("Tensors", []),
        // Unoptimized vector code takes 10 s or more for a step. Packages of tools version 6.2 or later may be
        // dependencies with unsafe flags.
        .target(name: "CVectorMath", cSettings: unfused + [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .target(name: "CSystem", cSettings: unfused),
        .target(name: "CHashes", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CTLS", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CMPI"),

        .target(
            name: "TransportTesting", dependencies: ["Transport"], path: "Tests/TransportTesting", swiftSettings: strict
        ),
        tests(
            "TrainingTests",
            [
                "Launching", "Coordination", "Runs", "Inputs", "Telemetry", "Configuration", "Learning", "BERT",
                "Collectives", "Cluster", "TransportTesting", "Transport", "Reduction", "Kernels", "Console",
                "Processes",
                "Checkpoints", "TextData", "Files", "Wording", "Tensors",
            ]),
        tests(
            "SimulationTests",
            [
                "Coordination", "Runs", "Telemetry", "Configuration", "Learning", "BERT", "Cluster", "Transport",
                "Kernels", "Console", "Checkpoints", "TextData", "Files", "Tensors", "Wording",
            ]),
        tests("ChaosTests", ["Chaos"]),
        tests(
            "LaunchingTests",
            [
                "Launching", "Coordination", "Configuration", "Cluster", "Transport", "Processes", "Wording",
            ]),
        tests("WatchingTests", ["Watching", "WebServer", "Files", "Wording"]),
        tests("InferenceTests", ["Inference", "TextData"]),
        tests("ReferenceChecksTests", ["ReferenceChecks", "Checkpoints", "Wording"]),
        tests("ReportsTests", ["Watching", "Reports", "Files", "Wording"]),
        tests("InputsTests", ["Inputs", "Configuration", "TextData", "Wording"]),
        tests("TelemetryTests", ["Telemetry", "Learning", "Files"]),
        tests("ConfigurationTests", ["Runs", "Configuration", "Learning"]),
        tests(
            "LearningTests",
            [
                "Configuration", "Learning", "BERT", "Collectives", "TransportTesting", "Transport", "Reduction",
                "Kernels",
                "Tensors",
            ]),
        tests("ConsoleTests", ["Console"]),
        tests("ProcessesTests", ["Processes"]),
        tests("BERTTests", ["BERT", "Kernels", "Checkpoints", "Files", "Tensors"]),
        tests("CollectivesTests", ["Collectives", "Reduction", "Transport", "Tensors"]),
        tests("ClusterTests", ["Cluster", "Transport"]),
        tests("WebServerTests", ["WebServer", "Transport"]),
        tests("HashesTests", ["Hashes"]),
        tests("TransportTests", ["TransportTesting", "Transport"]),
        tests("KernelsTests", ["Kernels", "KernelHashes", "Wording", "Tensors"]),
        .target(
            name: "KernelHashes", dependencies: ["CVectorMath"], path: "Tests/KernelHashes", cSettings: unfused),
        tests("HubTests", ["Hub", "Files"]),
        tests("TorchFilesTests", ["TorchFiles", "Checkpoints", "Files"]),
        tests("CheckpointsTests", ["Checkpoints", "Files"]),
        tests("TextDataTests", ["TextData", "Gzip"]),
        tests(
            "ProcessTests",
            [
                "ApusCommand", "Runs", "Configuration", "Transport", "Kernels", "Checkpoints", "Files", "Wording",
                "FuzzBenchmark",
            ]),
    ]
)
