/// What the commands of `apus` call.
package enum EntryPoints {
    package static func train(_ configuration: TrainingConfiguration, debug: Bool) throws { throw RunError("not built yet") }

    package static func coordinate(_ options: CoordinateOptions) throws { throw RunError("not built yet") }

    package static func work(_ options: WorkOptions) throws { throw RunError("not built yet") }

    package static func launch(_ options: LaunchOptions) throws { throw RunError("not built yet") }

    /// The metrics, as one JSON object.
    package static func evaluate(_ options: InferenceOptions) throws -> String { throw RunError("not built yet") }

    /// Hands one JSON object a sample to `emit`, in order.
    package static func predict(_ options: InferenceOptions, emit: (String) throws -> Void) throws { throw RunError("not built yet") }

    /// The largest errors of one reference folder, as one JSON object.
    package static func verify(case folder: String) throws -> String { throw RunError("not built yet") }

    /// One line a finding of the preflight.
    package static func check(cluster: String, emit: (String) throws -> Void) throws { throw RunError("not built yet") }

    /// Writes keys into a folder and returns a line that says which.
    package static func keygen(folder: String) throws -> String { throw RunError("not built yet") }
}
