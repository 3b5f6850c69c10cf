internal import Foundation
internal import TextData

extension TrainingConfiguration {
    /// Sets every given option; files are kept as absolute paths, so that a run can be resumed from any folder.
    /// A model's name stays a name, see ``ModelText``.
    package mutating func apply(_ given: GivenOptions) throws(ConfigurationError) {
        for key in Key.allCases {
            guard let value = given[key] else { continue }
            let field = Self.field(key)
            guard field.write(&self, value) else {
                throw .wrongKind(path: nil, line: nil, key: key, found: value.shown, needed: field.needed)
            }
        }
        if !ModelText.isName(model) { model = Self.absolute(model) }
        train = Self.absoluteFiles(train)
        validation = validation.map(Self.absoluteFiles)
        test = test.map(Self.absoluteFiles)
        addTokens = addTokens.map(Self.absolute)
        sourceTrain = sourceTrain.map(Self.absoluteFiles)
        sourceValidation = sourceValidation.map(Self.absoluteFiles)
    }

    private static func absoluteFiles(_ named: String) -> String {
        DataFiles.parts(named).map(absolute).joined(separator: ",")
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
