/// A process's own keys and the public keys of its peers.
///
/// As text: a line `public` and a line `secret` with 40 characters each, for a worker a line `coordinator`, for a
/// coordinator a line `worker` for each key that it admits. Key files have this text, and a launcher passes it on the
/// standard input of a worker that it starts.
package struct KeyRing: Sendable {
    package var own: KeyPair
    /// The coordinator's key, for a worker.
    package var coordinator: PublicKey?
    /// The keys that a coordinator admits.
    package var workers: [PublicKey]

    package init(own: KeyPair, coordinator: PublicKey? = nil, workers: [PublicKey] = []) {
        self.own = own
        self.coordinator = coordinator
        self.workers = workers
    }

    /// Rings for a coordinator and `count` workers, that match each other.
    package static func generate(workers count: Int) -> (coordinator: KeyRing, workers: [KeyRing]) {
        let coordinator = KeyPair.generate()
        let workers = (0..<count).map { _ in KeyRing(own: .generate(), coordinator: coordinator.publicKey) }
        return (KeyRing(own: coordinator, workers: workers.map(\.own.publicKey)), workers)
    }

    /// Contains the secret: only for a file of mode 0600, or a private pipe.
    package var text: String {
        var lines = ["public \(own.publicKey.text)", "secret \(own.secretKey.text)"]
        if let coordinator { lines.append("coordinator \(coordinator.text)") }
        lines += workers.map { "worker \($0.text)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Nil unless `text` has the form above, and its two keys belong together; lines that begin with # are comments.
    package init?(text: String) {
        var halves: [Substring: String] = [:]
        workers = []
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count == 2 else { return nil }
            if words[0] == "worker" {
                guard let key = PublicKey(String(words[1])) else { return nil }
                workers.append(key)
            } else {
                guard halves.updateValue(String(words[1]), forKey: words[0]) == nil else { return nil }
            }
        }
        guard let publicKey = halves.removeValue(forKey: "public").flatMap(PublicKey.init),
            let secretKey = halves.removeValue(forKey: "secret").flatMap(SecretKey.init)
        else { return nil }
        own = KeyPair(publicKey: publicKey, secretKey: secretKey)
        guard own.isWhole else { return nil }
        if let text = halves.removeValue(forKey: "coordinator") {
            guard let key = PublicKey(text) else { return nil }
            coordinator = key
        }
        guard halves.isEmpty else { return nil }
    }
}
