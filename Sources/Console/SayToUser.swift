internal import Foundation

/// Prints a message on standard error without ending the program.
package func sayToUser(_ line: String) { Screen.shared.say("apus: \(line)", on: .errors) }

/// The same for the last words of a process that ends, whether or not anybody reads them.
package func sayBeforeEnd(_ line: String) {
    let said = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
        sayToUser(line)
        said.signal()
    }
    _ = said.wait(timeout: .now() + 0.3)
}
