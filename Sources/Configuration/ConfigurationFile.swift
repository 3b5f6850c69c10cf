internal import Files
internal import Foundation
internal import Yams

/// Options in a YAML file: `--config FILE`, and the `config.yaml` that a run saves.
package enum ConfigurationFile {
    package static func path(inRun output: String) -> String { "\(output)/config.yaml" }

    /// A longer file is not read.
    static let longest = 4 << 20

    /// The options in the file; their types are checked, their ranges are not.
    package static func read(_ path: String) throws(ConfigurationError) -> GivenOptions {
        guard let contents = SystemFile.contents(path, most: longest) else {
            throw .unreadable(path: path, reason: reason(path))
        }
        guard contents.count <= longest else {
            throw .unreadable(path: path, reason: "it has more than \(longest >> 20) MiB, options have a few lines")
        }
        guard let text = String(validating: contents, as: UTF8.self) else {
            throw .unreadable(path: path, reason: reason(path))
        }
        return try read(text: text, path: path)
    }

    package static func read(text: String, path: String) throws(ConfigurationError) -> GivenOptions {
        var given = GivenOptions()
        guard let root = try compose(text, path) else { return given }
        if case .scalar(let scalar) = root, isNull(scalar) { return given }
        guard case .mapping(let mapping) = root else {
            throw .syntax(path: path, line: root.mark?.line, problem: "expected lines of 'key: value'")
        }
        for (keyNode, valueNode) in mapping {
            let line = keyNode.mark?.line
            let name = keyNode.string ?? "?"
            let (key, node): (TrainingConfiguration.Key, Node)
            switch OptionName(name) {
            case .own(let own): (key, node) = (own, valueNode)
            case .other(let own, let translate):
                guard let ours = translated(valueNode, translate) else {
                    let needed = TrainingConfiguration.field(own).needed
                    throw .wrongKind(path: path, line: line, key: own, found: valueNode.string ?? "?", needed: needed)
                }
                (key, node) = (own, ours)
            case .hint(let hint): throw .otherTrainer(path: path, line: line, name: name, hint: hint)
            case nil:
                let known = TrainingConfiguration.Key.allCases.map(\.rawValue)
                throw .unknownKey(path: path, line: line, key: name, suggestion: NearMiss.of(name, among: known))
            }
            guard given[key] == nil else {
                throw .syntax(path: path, line: line, problem: "\(name) is \(key.rawValue), which occurs twice")
            }
            try given.give(key, value(node, key: key, path: path, line: line))
        }
        return given
    }

    /// The configuration that ``write(_:to:)`` saved: equal to it.
    package static func readSaved(_ path: String, cores: Int) throws(ConfigurationError) -> TrainingConfiguration {
        try configuration(read(path), path: path, cores: cores)
    }

    /// The same for a text that ``text(_:)`` returned.
    package static func readSaved(text: String, cores: Int) throws(ConfigurationError) -> TrainingConfiguration {
        let path = "the saved configuration"
        return try configuration(read(text: text, path: path), path: path, cores: cores)
    }

    private static func configuration(_ given: GivenOptions, path: String, cores: Int) throws(ConfigurationError)
        -> TrainingConfiguration
    {
        var configuration = TrainingConfiguration(model: "", train: "", output: "", threads: cores)
        try configuration.apply(given)
        for key in [TrainingConfiguration.Key.model, .train, .output] where given[key] == nil {
            throw .wrongKind(path: path, line: nil, key: key, found: "missing", needed: "a text")
        }
        return configuration
    }

    /// Every option that has a value, in the order of the keys.
    package static func text(_ configuration: TrainingConfiguration) throws(ConfigurationError) -> String {
        var pairs: [(Node, Node)] = []
        for key in TrainingConfiguration.Key.allCases {
            let node: Node? =
                switch configuration.value(key) {
                case .absent: key == .validation || key == .test ? Node("none") : nil
                case .text(let text): scalar(text)
                case .list(let items): items.isEmpty ? nil : Node(items.map(scalar))
                }
            if let node { pairs.append((Node(key.rawValue), node)) }
        }
        do {
            return try Yams.serialize(node: Node(pairs), allowUnicode: true)
        } catch {
            throw .unwritable(path: "config.yaml", reason: "\(error)")
        }
    }

    /// Writes a temporary file and renames it, so that a reader finds a complete file, even after a crash of the
    /// machine. An equal file is kept.
    package static func write(_ configuration: TrainingConfiguration, to path: String) throws(ConfigurationError) {
        let text = Array(try text(configuration).utf8)
        if let present = try? FileSystem.read(path), present == text { return }
        do throws(FileError) { try FileSystem.replace(path, with: text) } catch {
            throw .unwritable(path: path, reason: error.problem)
        }
    }

    private static func compose(_ text: String, _ path: String) throws(ConfigurationError) -> Node? {
        let aliases = YAMLAliases.count(in: text)
        guard aliases <= YAMLAliases.most else {
            throw .syntax(
                path: path, line: nil, problem: "\(aliases) aliases (*name), at most \(YAMLAliases.most) are read")
        }
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw .syntax(path: path, line: line(error), problem: problem(error))
        } catch {
            throw .syntax(path: path, line: nil, problem: "\(error)")
        }
    }

    /// A value of another trainer's option as this program writes it.
    private static func translated(_ node: Node, _ translate: (String) -> String?) -> Node? {
        guard case .scalar(let scalar) = node, !isNull(scalar) else { return node }
        return translate(scalar.string).map { .scalar(Node.Scalar($0, scalar.tag, scalar.style, scalar.mark)) }
    }

    private static func value(
        _ node: Node, key: TrainingConfiguration.Key, path: String, line: Int?
    ) throws(ConfigurationError) -> ConfigurationValue {
        let field = TrainingConfiguration.field(key)
        func wrong(_ found: String) -> ConfigurationError {
            .wrongKind(path: path, line: node.mark?.line ?? line, key: key, found: found, needed: field.needed)
        }
        var value: ConfigurationValue
        switch node {
        case .scalar(let scalar): value = isNull(scalar) ? .absent : .text(scalar.string)
        case .sequence(let sequence):
            var items: [String] = []
            for item in sequence {
                guard let text = item.scalar?.string else { throw wrong("a list in a list") }
                items.append(text)
            }
            value = .list(items)
        default: throw wrong("a mapping")
        }
        var probe = GivenOptions()
        probe.give(key, value)
        value = probe[key] ?? value
        var trial = TrainingConfiguration(model: "", train: "", output: "", threads: 1)
        guard field.write(&trial, value) else { throw wrong(value.shown) }
        return value
    }

    /// Quoted if YAML could read it as something other than this text.
    private static func scalar(_ text: String) -> Node {
        let plain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
        let isPlain =
            plain && text.first.map { $0.isLetter || $0.isNumber || $0 == "/" } == true && text.lowercased() != "null"
        return .scalar(Node.Scalar(text, .implicit, isPlain ? .plain : .doubleQuoted))
    }

    private static func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func reason(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let attributes else { return "no such file" }
        if attributes[.type] as? FileAttributeType == .typeDirectory { return "it is a folder" }
        return FileManager.default.isReadableFile(atPath: path) ? "not UTF-8 text" : "no permission"
    }

    private static func line(_ error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }

    private static func problem(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        case .duplicatedKeysInMapping(let keys, _): "the key \(keys.sorted().joined(separator: ", ")) occurs twice"
        default: String(error.description.prefix { !$0.isNewline })
        }
    }
}
