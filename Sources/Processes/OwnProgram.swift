internal import Foundation

/// The path of this program.
package func ownProgram() -> String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }
