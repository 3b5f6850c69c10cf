internal import Foundation

/// Models by name: in the cache, or on the hub.
package struct ModelHub {
    private let settings: HubSettings
    private let cache: HubCache
    private let watch: DownloadWatch
    private let wait: (Int) -> Void

    /// - Parameters:
    ///   - watch: is told of downloads.
    ///   - wait: waits for as many seconds, before a request is made again.
    package init(_ settings: HubSettings, watch: DownloadWatch, wait: @escaping (Int) -> Void) {
        self.settings = settings
        cache = HubCache(root: settings.cache)
        self.watch = watch
        self.wait = wait
    }

    /// The folder of the cache.
    package var root: String { cache.root }

    /// Where the cache has a model at a commit, or would have it.
    package func path(of snapshot: HubSnapshot) -> String { cache.snapshot(snapshot.name, snapshot.commit) }

    /// The models in the cache.
    package var cached: [String] { cache.names }

    /// The models in the cache that these settings name.
    package static func cached(_ settings: HubSettings) -> [String] { HubCache(root: settings.cache).names }

    /// The folder of a model: from the cache if it is whole there, otherwise downloaded into it.
    ///
    /// - Parameters:
    ///   - weights: whether these are needed.
    ///   - asksHub: whether the hub is asked although the cache has the model, in case its revision has moved on.
    ///   - check: looks at the folder with configuration and tokenizer before the weights are downloaded.
    /// - Throws: ``HubError``, and what `check` throws.
    package func folder(
        _ name: ModelName, weights: Bool = true, asksHub: Bool = false, check: (String) throws -> Void = { _ in }
    ) throws -> String {
        let need = weights ? ModelFiles.Need.model : .tokenizer
        let found = try cache.find(name, need)
        if case .whole(let commit) = found, !asksHub || settings.isOffline { return cache.snapshot(name, commit) }
        guard !settings.isOffline else { throw offline(name, found) }
        do {
            let client = try HubClient(settings, watch, wait: wait)
            let commit = try ModelDownload(client: client, cache: cache, name: name, need: need).run(check: check)
            return cache.snapshot(name, commit)
        } catch let error as HubError {
            guard error.kind == .unreachable, case .incomplete(_, let reason) = found else { throw error }
            throw HubError(.unreachable, "\(error.description); \(name) in the cache is not whole: it \(reason)")
        }
    }

    private func offline(_ name: ModelName, _ found: HubCache.Found) -> HubError {
        let advice = "'apus download \(name)' where there is a network, or HF_HUB_OFFLINE=0"
        switch found {
        case .incomplete(let commit, let reason):
            return HubError(
                .unreachable,
                "\(name) in \(cache.root) is not whole: \(commit.digits.prefix(12)) \(reason); HF_HUB_OFFLINE "
                    + "forbids to download it: \(advice)")
        default:
            return HubError(
                .unreachable, "\(name) is not in \(cache.root), and HF_HUB_OFFLINE forbids to download it: \(advice)")
        }
    }
}
