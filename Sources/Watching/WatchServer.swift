internal import Console
internal import Foundation
internal import Processes
internal import Reports
internal import Transport
internal import WebServer
package import Wording

/// `apus watch --serve`: a run's page, live. A process of its own, which only reads the run's folder.
package struct WatchServer {
    private let options: WatchOptions
    private let server: WebServer
    private let token = WatchToken()
    private let address: WatchAddress

    /// Looks for changes this often.
    private static let pause = Duration.milliseconds(500)

    /// - Throws: ``InputError`` if the folder has no run, or the address cannot be used.
    package init(_ options: WatchOptions) throws(InputError) {
        self.options = options
        if !options.isStartedByRun { for folder in RunRecord.folders(at: options.run) { _ = try RunRecord(folder) } }
        address = try options.address.map { text throws(InputError) in try WatchAddress(text) } ?? .usual
        do throws(ZeroMQError) { server = try WebServer(host: address.host, port: address.port) } catch {
            throw InputError("the page cannot be served: \(error)")
        }
    }

    /// Serves until a signal, or until the program that started it with a run has ended.
    package func run() {
        let shownHost = ["0.0.0.0", "::"].contains(server.host) ? ProcessInfo.processInfo.hostName : server.host
        let url = "http://\(TCPProbe.bracketed(shownHost)):\(server.port)/?token=\(token.text)"
        let page = LivePage(
            title: options.run, token: token, hosts: [ProcessInfo.processInfo.hostName, address.host])
        let ending = DispatchSemaphore(value: 0)
        let sources = [SIGINT, SIGTERM].map { number in SignalSource(number) { ending.signal() } }
        if !address.isLoopback {
            sayToUser(
                "beyond this machine the page and its token travel as plain HTTP, which others on the way can read: "
                    + "safer is an address of loopback and, from elsewhere, ssh -L \(server.port):127.0.0.1:"
                    + "\(server.port) \(ProcessInfo.processInfo.hostName)")
        }
        if options.isStartedByRun {
            Thread.detachNewThread {
                // It has an end, and no bytes.
                _ = try? FileHandle.standardInput.readToEnd()
                ending.signal()
            }
        }
        let server = server
        let options = options
        // There is nothing to show before the run has its folder; a refused one gets none.
        while options.isStartedByRun, !RunRecord.folders(at: options.run).allSatisfy({ (try? RunRecord($0)) != nil }) {
            if ending.wait(timeout: .now() + 0.1) == .success { return }
        }
        let looking = Thread {
            var watch = RunWatch(options.run, withTexts: options.withTexts)
            var isOver = false
            while true {
                // What a run wrote last is seen even if it has ended meanwhile.
                if watch.refresh(), let event = page.update(watch.contents, watch.status) { server.publish(event) }
                if isOver { return server.end() }
                isOver = ending.wait(timeout: .now() + Self.pause.seconds) == .success
            }
        }
        looking.stackSize = 8 << 20
        looking.start()
        Screen.shared.say(options.isStartedByRun ? url : "\(ReportText.shown(options.run)): \(url)")
        server.run { page.answer($0) }
        withExtendedLifetime(sources) {}
    }
}
