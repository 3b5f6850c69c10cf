internal import Foundation

/// The path of this program.
func ownProgram() -> String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }
