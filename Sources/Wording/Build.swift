/// The identity of this build.
package enum Build {
    /// Workers of another version are refused.
    package static let version = "0.2.0"
}
