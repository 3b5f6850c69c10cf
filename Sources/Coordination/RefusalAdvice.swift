internal import Cluster
internal import Transport

/// What a worker says about a coordinator that does not let it in: what was refused, and what to do.
struct RefusalAdvice {
    let refusal: CoordinatorContact.Refusal
    let endpoint: String
    /// This worker's own; nil without keys.
    let key: PublicKey?
    /// Its key file; nil without keys or if they come from a secret.
    let file: String?

    /// What is wrong.
    var cause: String {
        guard let key else { return "the process at \(endpoint) is not a coordinator without keys" }
        let own = "key \(key)" + (file.map { " of \($0)" } ?? " from \(KeySource.secret)")
        switch refusal {
        case .ownKey: return "the coordinator at \(endpoint) does not know this worker's \(own)"
        case .otherKey:
            return
                "the process at \(endpoint) is not the coordinator that this worker's \(own) was made for: it has "
                + "another key, has no keys (--insecure), or is not a coordinator"
        case .differsInKeys:
            return "the coordinator at \(endpoint) has no keys (--insecure), this worker has the \(own)"
        }
    }

    var remedy: String {
        guard let key else {
            return "does the coordinator run with --insecure? If it has keys, give this worker one of them instead"
        }
        switch refusal {
        case .ownKey:
            return
                "add the line 'worker \(key)' to the coordinator's key file and send it SIGHUP, or give this worker a "
                + "key that the file lists"
        case .otherKey where file == nil:
            return "give both the same \(KeySource.secret), or check the address"
        case .otherKey:
            return "give it a key file from the same 'apus keygen' as the coordinator's, or check the address"
        case .differsInKeys: return "start the coordinator with keys, or this worker with --insecure too"
        }
    }
}
