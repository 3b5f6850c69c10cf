// swift-tools-version: 6.3
import PackageDescription

/// A program of somebody else, which depends on the library product; see scripts/check-library.sh.
let package = Package(
    name: "Reviews",
    dependencies: [.package(name: "apus", path: "../../..")],
    targets: [
        .executableTarget(
            name: "Reviews", dependencies: [.product(name: "Apus", package: "apus")], path: "Sources")
    ])
