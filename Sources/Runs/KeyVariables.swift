/// Environment variables in which a process that was not started by apus launch finds its keys.
package enum KeyVariables {
    /// This process's own key file.
    package static let file = "APUS_KEY_FILE"
    /// A folder of `apus keygen` on a file system that all hosts share.
    package static let folder = "APUS_KEY_FOLDER"
    /// A text that all processes of the run have, from which each derives every key.
    package static let secret = "APUS_SECRET"
}
