import Foundation
import Testing

@testable import Coordination

/// Every message of a launcher, to a coordinator and to a worker, before and after the one that ends the process.
@Suite struct LaunchedProcessTests {
    private typealias Action = LaunchedProcess.Action
    private static let words: [LauncherPipe.Word] = [.givenUp, .stop(SIGINT), .stop(SIGTERM), .end, .gone]

    private func answers(_ kind: LaunchedProcess.Kind, _ events: [LaunchedProcess.Event]) -> [Action] {
        var process = LaunchedProcess(kind)
        return events.flatMap { process.handle($0) }
    }

    @Test func `a coordinator goes on until it is to end, and has time for a checkpoint then`() {
        let ending: [Action] = [.stop(SIGTERM), .wait(.seconds(9))]
        let answers = Self.words.map { self.answers(.coordinator, [.word($0)]) }
        #expect(answers == [[.giveUpWorker], [.stop(SIGINT)], [.stop(SIGTERM)], ending, ending])
        for word in [LauncherPipe.Word.end, .gone] {
            for later in Self.words {
                let all = self.answers(.coordinator, [.word(.givenUp), .word(word), .word(later), .due])
                #expect(all == [.giveUpWorker] + ending + [.exit(status: 143)], "\(word), \(later)")
            }
        }
    }

    @Test func `a worker ends at once when it is told, and helps with a checkpoint after its launcher's end`() {
        for word in Self.words where word != .gone {
            #expect(answers(.worker, [.word(word)]) == [.exit(status: 1)], "\(word)")
        }
        for later in Self.words {
            let all = answers(.worker, [.word(.gone), .word(later), .due])
            #expect(all == [.wait(.seconds(8)), .exit(status: 1)], "\(later)")
        }
    }

}
