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
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
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
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    ],
    targets: [
        .executableTarget(
            name: "ApusCommand",
            dependencies: [
                "Apus", "Training", "BERT", "Hub", "Checkpoints", "TextData", "Cluster", "Transport", "Kernels",
                argumentParser, yams,
            ],
            swiftSettings: strict + [.unsafeFlags(standalone, optimized)],
            linkerSettings: [.unsafeFlags(standalone + ["-use-ld=lld"], optimized)]),
        .executableTarget(
            name: "AllReduceBenchmark", dependencies: ["Collectives", "Transport", "Tensors"],
            path: "Benchmarks/AllReduce",
            swiftSettings: strict),
        .executableTarget(
            name: "RooflineBenchmark", dependencies: ["Training", "BERT", "Kernels", "Tensors", "RooflineMeters"],
            path: "Benchmarks/Roofline",
            swiftSettings: strict),
        .target(name: "RooflineMeters", dependencies: ["CVectorMath"], path: "Benchmarks/RooflineMeters"),
        .executableTarget(
            name: "FuzzBenchmark", dependencies: ["FuzzTargets"], path: "Benchmarks/Fuzz/Driver",
            swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Training", "BERT", "Cluster", "Transport", "Kernels", "Hub", "TorchFiles", "Checkpoints", "TextData",
                "CAllocations",
            ],
            path: "Benchmarks/Fuzz/Targets", swiftSettings: strict),
        .target(name: "CAllocations", path: "Benchmarks/Fuzz/CAllocations"),
        module("Apus", ["Training", "Kernels"]),
        module(
            "Training",
            [
                "BERT", "Collectives", "Cluster", "WebServer", "Transport", "Kernels", "Hub", "TorchFiles",
                "Checkpoints", "TextData", "Tensors", "CSystem", crypto, yams,
            ]),
        module("BERT", ["Kernels", "Checkpoints", "TextData", "Tensors"]),
        module("Collectives", ["Transport", "Tensors"]),
        module("Cluster", ["Transport", yams]),
        module("WebServer", ["Transport"]),
        module("Transport", ["CZeroMQ", "CSystem", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
        module("Kernels", ["Tensors", "CVectorMath", "CSystem"]),
        module("Hub", ["Checkpoints", "CSystem", crypto]),
        module("TorchFiles", ["Checkpoints"]),
        module("Checkpoints", ["CSystem", crypto]),
        module("TextData", ["Gzip"]),
        module("Gzip", ["CZlib"]),
        module("Tensors", []),
        // Unoptimized vector code takes 10 s or more for a step. Packages of tools version 6.2 or later may be
        // dependencies with unsafe flags.
        .target(name: "CVectorMath", cSettings: unfused + [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .target(name: "CSystem", cSettings: unfused),
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CMPI"),

        tests("TrainingTests", ["Training", "BERT", "Transport", "Kernels", "Checkpoints", "TextData", "Tensors"]),
        tests("BERTTests", ["BERT", "Kernels", "Checkpoints", "Tensors"]),
        tests("CollectivesTests", ["Collectives", "Transport", "Tensors"]),
        tests("ClusterTests", ["Cluster", "Transport"]),
        tests("WebServerTests", ["WebServer", "Transport"]),
        tests("TransportTests", ["Transport"]),
        tests("KernelsTests", ["Kernels", "Tensors"]),
        tests("HubTests", ["Hub", "Checkpoints"]),
        tests("TorchFilesTests", ["TorchFiles", "Checkpoints"]),
        tests("CheckpointsTests", ["Checkpoints"]),
        tests("TextDataTests", ["TextData", "Gzip"]),
        tests("ProcessTests", ["ApusCommand", "FuzzBenchmark"]),
    ]
)
