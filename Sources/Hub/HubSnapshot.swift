/// A model's folder in a cache: the model and the commit that its path names.
package struct HubSnapshot: Equatable, Sendable {
    package let name: ModelName
    package let commit: Commit

    /// `…/models--ORGANIZATION--NAME/snapshots/COMMIT`; nil for other paths.
    package init?(path: String) {
        let parts = path.split(separator: "/").suffix(3).map(String.init)
        guard parts.count == 3, parts[1] == "snapshots", let name = ModelName(folder: parts[0]),
            let commit = Commit(parts[2])
        else { return nil }
        self.name = name
        self.commit = commit
    }

    /// A command line with this commit where it names this model after `--model`.
    package func pinned(in command: String) -> String {
        var words = command.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for index in words.indices where words[index].hasPrefix("--model") {
            if let equals = words[index].firstIndex(of: "=") {
                let flag = words[index][...equals]
                if isMeant(String(words[index].dropFirst(flag.count))) {
                    words[index] = flag + name.at(commit).description
                }
            } else if index + 1 < words.count, isMeant(words[index + 1]) {
                words[index + 1] = name.at(commit).description
            }
        }
        return words.joined(separator: " ")
    }

    private func isMeant(_ word: String) -> Bool { ModelName(word)?.repository == name.repository }
}
