internal import Foundation
internal import Synchronization

/// Where models are looked for: cache, hub and token, by the variables that Python's `huggingface_hub` reads.
package struct HubSettings: Sendable {
    /// Folder of the cache.
    package let cache: String
    /// Whether the network may not be used.
    package let isOffline: Bool
    let endpoint: HubAddress
    private let environment: [String: String]
    private let home: String
    private let givenToken: String?

    /// - Parameter token: the one of the environment, see ``HubToken``.
    /// - Throws: ``HubError`` for an endpoint that is not an address.
    package init(environment: [String: String], token: String?) throws(HubError) {
        self.environment = environment
        home =
            Self.folder("HF_HOME", environment)
            ?? "\(Self.folder("XDG_CACHE_HOME", environment) ?? "\(Self.userFolder(environment))/.cache")/huggingface"
        let named = Self.folder("HF_HUB_CACHE", environment) ?? Self.folder("HUGGINGFACE_HUB_CACHE", environment)
        cache = URL(fileURLWithPath: named ?? "\(home)/hub").standardizedFileURL.path
        isOffline = Self.isTrue(environment["HF_HUB_OFFLINE"]) || Self.isTrue(environment["TRANSFORMERS_OFFLINE"])
        let given = environment["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://huggingface.co"
        var text = given[...]
        while text.hasSuffix("/") { text = text.dropLast() }
        guard let endpoint = HubAddress(String(text)), !endpoint.hasQuery else {
            throw HubError("HF_ENDPOINT is '\(given)', must be an address such as https://huggingface.co")
        }
        self.endpoint = endpoint
        givenToken = token
    }

    /// The hub's host, for people.
    package var host: String { endpoint.host }

    /// The token to send to the hub, from the environment or from its file; nil for none.
    /// - Throws: ``HubError`` for one with characters that no token has; it is not shown.
    func token() throws(HubError) -> String? {
        if Self.isTrue(environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"]) { return nil }
        if let given = givenToken?.trimmingCharacters(in: .whitespacesAndNewlines), !given.isEmpty {
            return try Self.checked(given, from: "HF_TOKEN")
        }
        let path = Self.folder("HF_TOKEN_PATH", environment) ?? "\(home)/token"
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 4_096) else {
            return nil
        }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : try Self.checked(text, from: path)
    }

    private static func checked(_ token: String, from place: String) throws(HubError) -> String {
        guard token.utf8.count <= 1_024,
            token.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        else {
            throw HubError("\(place) does not hold a token: a token is one line of letters, digits and signs")
        }
        return token
    }

    private static func isTrue(_ value: String?) -> Bool {
        ["1", "ON", "YES", "TRUE"].contains((value ?? "").uppercased())
    }

    private static func folder(_ variable: String, _ environment: [String: String]) -> String? {
        guard let value = environment[variable], !value.isEmpty else { return nil }
        guard value == "~" || value.hasPrefix("~/") else { return value }
        return userFolder(environment) + value.dropFirst()
    }

    private static func userFolder(_ environment: [String: String]) -> String {
        environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
    }
}

/// The token of this process's environment.
package enum HubToken {
    private static let variables = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]
    private static let taken = Mutex<String?>(nil)

    /// Takes the token out of the environment, so that no child process inherits it. Called before other threads run.
    package static func take() {
        let environment = ProcessInfo.processInfo.environment
        let found = variables.compactMap { environment[$0] }.first { !$0.isEmpty }
        for name in variables where environment[name] != nil { unsafe unsetenv(name) }
        if let found { taken.withLock { $0 = found } }
    }

    /// Nil if the environment had none.
    package static var current: String? { taken.withLock { $0 } }
}
