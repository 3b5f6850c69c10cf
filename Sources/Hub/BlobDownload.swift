internal import Files

/// One file of a model, from the hub into the cache: whole and compared with its hash, or not at all.
struct BlobDownload {
    let client: HubClient
    let cache: HubCache
    let name: ModelName
    let commit: Commit
    let file: String
    let hash: BlobHash
    /// Bytes as the hub announced them; nil if it did not.
    let size: Int?
    /// Most bytes of such a file.
    let limit: Int

    /// Downloads the file unless the cache has its contents, and links it into the snapshot.
    func run() throws(HubError) {
        guard (size ?? 0) <= limit else {
            throw HubError("\(file) of \(name) has \(size ?? 0) bytes, at most \(limit) are read: is this the model?")
        }
        if try !cache.has(hash, of: name) {
            let lock = try cache.lock(hash, of: name) {
                client.watch.says("another process downloads \(file) of \(name): waiting for it")
            }
            defer { withExtendedLifetime(lock) {} }
            if try !cache.has(hash, of: name) { try fetch() }
        }
        try cache.link(file, to: hash, name, commit)
    }

    private func fetch() throws(HubError) {
        let target = cache.blob(name, hash)
        let partial = try PartialFile(target + ".apus.incomplete", limit: size ?? limit)
        do throws(HubError) {
            try needRoom(partial)
            client.watch.begins("\(file) of \(name) from \(client.endpoint.host)", size ?? 0)
            defer { client.watch.ends() }
            try fetch(into: partial)
            try partial.place(at: target)
        } catch {
            // What came before the connection broke is right as far as anybody knows; a later attempt goes on there.
            if error.kind != .unreachable || partial.count == 0 { partial.remove() }
            throw error
        }
    }

    private func fetch(into partial: PartialFile) throws(HubError) {
        let wasResumed = partial.isResumed
        if wasResumed {
            client.watch.says("\(file) of \(name): going on after \(ByteText(partial.count))")
            client.watch.advances(partial.count)
        }
        try fill(partial)
        if wasResumed, try !hash.isOf(partial.path) {
            // What an earlier process left may be the reason.
            try partial.restart()
            try fill(partial)
        }
        guard try hash.isOf(partial.path) else {
            throw HubError(
                "\(file) of \(name): \(client.endpoint.host) sent other contents than announced, with another hash "
                    + "than \(hash.shown): nothing of it was kept; try again, or check HF_ENDPOINT and the proxy")
        }
    }

    private func needRoom(_ partial: PartialFile) throws(HubError) {
        guard let size, let free = FileSystem.freeBytes(cache.folder(name)), free < size - partial.count else { return }
        throw HubError(
            "\(cache.root): has \(ByteText(free)) free, \(file) of \(name) needs \(ByteText(size - partial.count)): "
                + "make room, or set HF_HUB_CACHE to a folder on another disk")
    }

    /// Reads until all bytes are there, over broken connections.
    private func fill(_ partial: PartialFile) throws(HubError) {
        var patience = Patience()
        let path = client.path(name.at(commit), file)
        while true {
            let before = partial.count
            let end = try client.follow(
                .get, path, from: before, onHead: { (head) throws(HubError) in try begins(head, partial) },
                onBody: { (bytes) throws(HubError) in try take(bytes, partial) })
            let got = partial.count - before
            switch end {
            case .complete(let head) where HubClient.isBusy(head):
                try client.rest(patience.pause(after: .busy(seconds: head.retryAfter)), head)
            case .complete(let head):
                if head.status == 416 { continue }
                guard let size, partial.count < size else { return }
                try pause(
                    patience.pause(after: .broken(after: got)), "it ended after \(partial.count) of \(size) bytes")
            case .broken(let reason, _): try pause(patience.pause(after: .broken(after: got)), reason)
            case .unreachable(let reason): throw client.unreachable(reason)
            case .malformed: throw client.malformed
            }
        }
    }

    /// Waits before the next attempt.
    private func pause(_ seconds: Int?, _ reason: String) throws(HubError) {
        guard let seconds else { throw client.unreachable("\(file): the connection broke: \(reason)") }
        if seconds > 0 { client.wait(seconds) }
    }

    /// Checks the head of an answer.
    /// - Returns: whether its body is part of the file.
    private func begins(_ head: ResponseHead, _ partial: PartialFile) throws(HubError) -> Bool {
        switch head.status {
        case 200:
            if partial.count > 0 { try partial.restart() }
            if let size, let length = head.length, length != size { throw wrongLength(length, size) }
            return true
        case 206:
            guard let range = head.range, range.start == partial.count, size == nil || range.whole ?? size == size
            else {
                throw HubError(
                    "\(file) of \(name): asked for the bytes from \(partial.count) on and got '"
                        + "\((head["content-range"] ?? "no range").prefix(60))': check HF_ENDPOINT and the proxy")
            }
            return true
        case 416 where partial.count > 0:
            try partial.restart()
            return false
        case _ where HubClient.isBusy(head): return false
        default: throw client.refusal(head, name.at(commit), file)
        }
    }

    private func take(_ bytes: [UInt8], _ partial: PartialFile) throws(HubError) {
        guard partial.count + bytes.count <= size ?? limit else {
            throw HubError(
                "\(file) of \(name): \(client.endpoint.host) sends more than the \(size ?? limit) bytes "
                    + "\(size == nil ? "that are read of it" : "announced"): nothing of it was kept; check HF_ENDPOINT "
                    + "and the proxy")
        }
        try partial.write(bytes)
        client.watch.advances(bytes.count)
    }

    private func wrongLength(_ found: Int, _ size: Int) -> HubError {
        HubError(
            "\(file) of \(name): has \(found) bytes, \(size) were announced: nothing of it was kept; check HF_ENDPOINT "
                + "and the proxy")
    }
}
