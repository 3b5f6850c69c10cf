/// The identity of this build.
package enum Build {
    package static let version = "0.2.0"
}
