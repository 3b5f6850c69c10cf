internal import Foundation

/// An argument that belongs to no option: most often a file whose option was left out.
enum StrayArgument {
    /// The option that was probably meant, as a question; nil if the message is about something else.
    static func hint(_ message: String, _ command: String?) -> String? {
        guard let found = message.firstMatch(of: /Unexpected argument '(.+)'/), let command else { return nil }
        let file = String(found.1)
        guard let options = options(URL(filePath: file).pathExtension.lowercased(), command) else { return nil }
        return "did you mean \(options.map { "\($0) \(file)" }.joined(separator: " or "))?"
    }

    private static func options(_ ending: String, _ command: String) -> [String]? {
        switch (command, ending) {
        case ("launch", "yaml"), ("launch", "yml"): ["--config", "--cluster"]
        case ("train", "yaml"), ("train", "yml"), ("coordinate", "yaml"), ("coordinate", "yml"): ["--config"]
        case ("work", "yaml"), ("work", "yml"): ["--cluster"]
        case ("train", _), ("launch", _), ("coordinate", _): ["--train"]
        case ("predict", _), ("evaluate", _): ["--input"]
        default: nil
        }
    }
}
