internal import Files
internal import Foundation
internal import Hashes

/// One self-contained page about one run or several: it loads nothing, and no text of the data is interpreted as
/// markup.
package enum ReportPage {
    /// The path of a run's own report.
    package static func path(inRun folder: String) -> String { folder + "/report.html" }

    /// - Parameters:
    ///   - runs: folders of runs, or of series of seeds.
    ///   - withTexts: whether to include texts of the data.
    /// - Throws: ``InputError`` for a folder that is not a run's, ``FileError`` if the page cannot be written.
    package static func write(_ paths: [String], withTexts: Bool, to output: String) throws {
        var runs: [RunRecord] = []
        for path in paths { runs += try RunRecord.runs(at: path) }
        let page = html(ReportData.json(runs, withTexts: withTexts), title: paths.joined(separator: ", "))
        // It may contain texts of the data: readable only by its owner.
        try FileSystem.replace(output, with: Array(page.utf8), isPrivate: true)
    }

    static func html(_ data: JSONValue, title: String) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <meta http-equiv="Content-Security-Policy" content="\(policy(script: ReportScript.standalone))">
        <title>\(escaped(ReportText.shown(title)))</title>
        <style>\(ReportStyle.text)</style></head>
        <body><main id="page"></main>
        <script type="application/json" id="data">\(embedded(data))</script>
        <script>\(ReportScript.standalone)</script></body></html>

        """
    }

    /// Allows this script and the style of pages, and no other source of anything but what is named.
    package static func policy(script: String, and more: String = "") -> String {
        "default-src 'none'; style-src \(source(ReportStyle.text)); script-src \(source(script)); \(more)"
            + "base-uri 'none'; form-action 'none'"
    }

    /// The policy source that allows exactly this style or script.
    private static func source(_ text: String) -> String {
        "'sha256-\(Data(RunningHash.sha256(Array(text.utf8))).base64EncodedString())'"
    }

    /// JSON that cannot end the script or start a comment.
    static func embedded(_ data: JSONValue) -> String {
        var bytes: [UInt8] = []
        for byte in data.line.utf8 {
            switch byte {
            case UInt8(ascii: "<"): bytes += Array("\\u003c".utf8)
            case UInt8(ascii: ">"): bytes += Array("\\u003e".utf8)
            case UInt8(ascii: "&"): bytes += Array("\\u0026".utf8)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A text for HTML, outside of tags.
    package static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
