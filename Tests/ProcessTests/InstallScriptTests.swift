import Foundation
import Testing

/// The script that puts the program on the PATH, and the contents of a package.
@Suite struct InstallScriptTests {
    /// A folder laid out as a package, with the program that these tests run.
    private func package() throws -> ScratchFolder {
        let folder = try ScratchFolder()
        try FileManager.default.createDirectory(at: folder.url("scripts"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            at: repository.appending(path: "scripts/install.sh"), to: folder.url("scripts/install.sh"))
        try FileManager.default.createSymbolicLink(at: folder.url("apus"), withDestinationURL: ApusProcess.executable)
        return folder
    }

    @Test func `the program and its completions are found under the prefix`() throws {
        let folder = try package()
        let prefix = folder.url("own prefix").path
        let run = try ScriptRun(shell: "PATH=\"$PATH:\(prefix)/bin\" '\(folder.path)/scripts/install.sh' '\(prefix)'")
        #expect(run.status == 0, "\(run.text)")
        #expect(!run.text.contains("is not on the PATH"))
        #expect(try ScriptRun(shell: "PATH='\(prefix)/bin' apus --version").text.hasPrefix("apus "))
        let completion = try ScriptRun(
            shell: "bash -c \"source '\(prefix)/share/bash-completion/completions/apus'; complete -p apus\"")
        #expect(completion.status == 0, "\(completion.text)")
        for name in ["share/zsh/site-functions/_apus", "share/fish/vendor_completions.d/apus.fish"] {
            #expect(try String(contentsOf: folder.url("own prefix/\(name)"), encoding: .utf8).contains("batch-size"))
        }
        #expect(
            try ScriptRun(shell: "'\(folder.path)/scripts/install.sh' '\(prefix)'").text.contains("is not on the PATH"))
    }

    @Test func `a program of somebody else is not replaced`() throws {
        let folder = try package()
        try FileManager.default.createDirectory(at: folder.url("p/bin"), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: folder.url("p/bin/apus"))
        let run = try ScriptRun(shell: "'\(folder.path)/scripts/install.sh' '\(folder.path)/p'")
        #expect(run.status == 2)
        #expect(run.text.contains("is not a link"))
        #expect(try String(contentsOf: folder.url("p/bin/apus"), encoding: .utf8) == "mine")
    }

    @Test func `a package holds whatever a message of the program names`() throws {
        let listed = try ScriptRun(shell: "'\(repository.path)/scripts/package.sh' --contents")
        #expect(listed.status == 0)
        let contents = listed.text.split(separator: "\n").map(String.init)
        for item in contents {
            #expect(FileManager.default.fileExists(atPath: repository.appending(path: item).path), "\(item)")
        }
        let sources = try #require(
            FileManager.default.enumerator(at: repository.appending(path: "Sources"), includingPropertiesForKeys: nil))
        var named: Set<String> = []
        for case let file as URL in sources where file.pathExtension == "swift" {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            where !line.contains("///") && line.contains("\"") {
                for match in line.matches(
                    of: /(?:scripts|cluster|docs)\/[a-z-]+\.(?:sh|py|md|yaml|sbatch)|(?:README|SECURITY|CHANGELOG)\.md/)
                {
                    named.insert(String(match.output))
                }
            }
        }
        #expect(named.contains("scripts/fetch.sh"))
        let examples: Set = ["cluster/lab.yaml"]  // what the user writes
        for name in named.subtracting(examples) {
            #expect(contents.contains { name == $0 || name.hasPrefix($0 + "/") }, "\(name)")
        }
    }

    @Test func `a package holds whatever its documents link`() throws {
        let contents = try ScriptRun(shell: "'\(repository.path)/scripts/package.sh' --contents").text
            .split(separator: "\n").map(String.init)
        let documents = contents.flatMap { item -> [String] in
            guard !item.hasSuffix(".md") else { return [item] }
            let below = FileManager.default.enumerator(atPath: repository.appending(path: item).path)
            return (below?.allObjects ?? []).compactMap { $0 as? String }.filter { $0.hasSuffix(".md") }
                .map { "\(item)/\($0)" }
        }
        #expect(documents.contains("README.md") && documents.contains("docs/decisions/README.md"))
        for document in documents {
            let folder = URL(filePath: "/\(document)").deletingLastPathComponent()
            let text = try String(contentsOf: repository.appending(path: document), encoding: .utf8)
            for match in text.matches(of: /\]\(([A-Za-z.][^)#: ]*)[)#]/) {
                let target = folder.appending(path: String(match.1)).standardizedFileURL.path.dropFirst()
                #expect(
                    contents.contains { item in
                        target == item || target.hasPrefix(item + "/") || item.hasPrefix(target + "/")
                    }, "\(document) links \(target)")
            }
        }
    }
}
