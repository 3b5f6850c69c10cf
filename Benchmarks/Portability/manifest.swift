// scripts/test-arm64-swift.sh appends this to Package.swift, in a copy for compilers older than 6.3: they do not
// compile generic distributed actors. What reaches them is left out, and a program added that trains in one process.

func named(_ dependency: Target.Dependency) -> String? {
    switch dependency {
    case .targetItem(let name, _), .byNameItem(let name, _): name
    default: nil
    }
}

var left: Set = ["Coordination", "Cluster"]
while true {
    let more = package.targets.filter {
        !left.contains($0.name) && $0.dependencies.contains { named($0).map(left.contains) == true }
    }
    if more.isEmpty { break }
    left.formUnion(more.map(\.name))
}
package.targets.removeAll { left.contains($0.name) }
package.products = []
package.targets.append(
    .executableTarget(
        name: "OneProcess",
        dependencies: ["Runs", "Inputs", "Configuration", "Learning", "Kernels", "Processes"],
        path: "Benchmarks/Portability/OneProcess", swiftSettings: strict))
