internal import Checkpoints
internal import Foundation

/// The files of one model, from the hub into the cache. Nothing but these files is asked for.
struct ModelDownload {
    let client: HubClient
    let cache: HubCache
    let name: ModelName
    let need: ModelFiles.Need

    /// - Parameter check: looks at the folder with configuration and tokenizer before the weights are downloaded.
    /// - Returns: the commit that the revision stands for.
    func run(check: (_ folder: String) throws -> Void) throws -> Commit {
        let first = try facts(ModelFiles.configuration, of: name)
        guard case .there(let configuration) = first, let commit = configuration.commit else {
            guard case .absent(let head) = first else { throw notAHub("X-Repo-Commit") }
            throw client.refusal(head, name, ModelFiles.configuration)
        }
        if let given = Commit(name.revision), given != commit {
            throw HubError(
                "\(client.endpoint.host) answers with commit \(commit.digits.prefix(12))… of \(name.repository), asked "
                    + "for \(given.digits.prefix(12))…: check HF_ENDPOINT")
        }
        try cache.prepare(name, commit)
        defer { cache.tidy(name, commit) }
        try download(configuration, ModelFiles.configuration, commit, limit: ModelFolder.longestJSON)
        var has: Set<String> = []
        for file in ModelFolder.tokenizerFiles {
            guard case .there(let found) = try facts(file, of: name.at(commit)) else { continue }
            try download(found, file, commit, limit: ModelFiles.longestTokenizer)
            has.insert(file)
        }
        guard ModelFiles.vocabularies.contains(where: has.contains) else {
            throw HubError(
                "\(name) on \(client.endpoint.host) has no \(ModelFiles.vocabularies.joined(separator: " or ")): "
                    + "choose a model with its tokenizer")
        }
        try check(cache.snapshot(name, commit))
        if need == .model { try downloadWeights(commit) }
        try cache.record(commit, of: name)
        return commit
    }

    private func downloadWeights(_ commit: Commit) throws(HubError) {
        if case .there(let found) = try facts(ModelFiles.weights, of: name.at(commit)) {
            return try download(found, ModelFiles.weights, commit, limit: .max)
        }
        guard case .there(let found) = try facts(ModelFiles.index, of: name.at(commit)) else {
            var isPickled = false
            if case .there = try facts(ModelFiles.pickle, of: name.at(commit)) { isPickled = true }
            throw HubError(
                isPickled
                    ? "\(name) on \(client.endpoint.host) has its weights in \(ModelFiles.pickle), which can hold code "
                        + "and is not read: choose a revision with \(ModelFiles.weights), or download that "
                        + "file and use 'apus convert'"
                    : "\(name) on \(client.endpoint.host) has no \(ModelFiles.weights): choose a model with weights")
        }
        try download(found, ModelFiles.index, commit, limit: ModelFolder.longestJSON)
        for shard in try HubCache.shards("\(cache.snapshot(name, commit))/\(ModelFiles.index)") {
            guard case .there(let found) = try facts(shard, of: name.at(commit)) else {
                throw HubError(
                    "\(name) on \(client.endpoint.host) has no \(shard), which its index names: is it whole?")
            }
            try download(found, shard, commit, limit: .max)
        }
    }

    private func download(_ facts: Facts, _ file: String, _ commit: Commit, limit: Int) throws(HubError) {
        guard let hash = facts.hash else {
            throw HubError(
                "\(file) of \(name): \(client.endpoint.host) gives no hash of it (an ETag of 40 or 64 hexadecimal "
                    + "digits), and nothing is read without: check HF_ENDPOINT")
        }
        guard facts.size != nil || limit < .max else {
            throw HubError("\(file) of \(name): \(client.endpoint.host) does not say how long it is: check HF_ENDPOINT")
        }
        try BlobDownload(
            client: client, cache: cache, name: name, commit: commit, file: file, hash: hash, size: facts.size,
            limit: limit
        ).run()
    }

    // MARK: What the hub says of a file

    private struct Facts {
        let commit: Commit?
        let hash: BlobHash?
        let size: Int?

        /// From the heads of an answer, from the first redirect to the end.
        init(_ heads: [ResponseHead]) {
            commit = heads.lazy.compactMap { $0["x-repo-commit"] }.first.flatMap { Commit($0) }
            let linked = heads.lazy.compactMap { $0["x-linked-etag"] }.first
            let end = heads.last.flatMap { $0.status == 200 ? $0 : nil }
            hash = (linked ?? end?["etag"]).flatMap { BlobHash(tag: $0) }
            size = heads.lazy.compactMap(\.linkedLength).first ?? end?.length
        }
    }

    private enum Answer {
        case there(Facts)
        /// The hub has no file of this name.
        case absent(ResponseHead)
    }

    private func facts(_ file: String, of name: ModelName) throws(HubError) -> Answer {
        let heads = try client.head(client.path(name, file))
        guard let last = heads.last else { throw client.malformed }
        if last.status == 200 || last.isRedirect { return .there(Facts(heads)) }
        if last.status == 404, [nil, "EntryNotFound"].contains(last["x-error-code"]) { return .absent(last) }
        throw client.refusal(last, name, file)
    }

    private func notAHub(_ header: String) -> HubError {
        HubError(
            "\(client.endpoint.host) answers without \(header), a commit of 40 hexadecimal digits, as a hub does not: "
                + "check HF_ENDPOINT and the proxy")
    }
}
