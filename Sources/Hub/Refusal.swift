extension HubClient {
    /// The path of a file of a model below the endpoint.
    func path(_ name: ModelName, _ file: String) -> String {
        "\(name.repository)/resolve/\(name.revision.replacing("/", with: "%2F"))/\(file)"
    }

    /// What an answer without the file means, in words.
    ///
    /// Source: `hf_raise_for_status` of huggingface_hub: `X-Error-Code` says which of several things a status means.
    func refusal(_ head: ResponseHead, _ name: ModelName, _ file: String) -> HubError {
        let host = endpoint.host
        switch (head.status, head["x-error-code"]) {
        case (_, "RevisionNotFound"):
            return HubError(
                "\(name.repository) on \(host) has no revision '\(name.revision)': check its branches and tags there")
        case (401, "GatedRepo"), (403, "GatedRepo"):
            return HubError(
                "\(name.repository) on \(host) asks for consent: accept its terms on its page, then "
                    + (token == nil ? "set HF_TOKEN" : "use the token of that account in HF_TOKEN"))
        case (_, "DisabledRepo"): return HubError("\(name.repository) was taken down on \(host): choose another model")
        case (404, "EntryNotFound"): return HubError("\(name) on \(host) has no \(file): is it a model?")
        case (401, _):
            return HubError(
                .notFound,
                token == nil
                    ? "\(name.repository) is not on \(host), or is private: check the name, or set HF_TOKEN"
                    : "\(name.repository) is not on \(host), or the token may not read it: check the name and HF_TOKEN")
        case (403, _):
            return HubError(
                "\(host) does not let \(token == nil ? "anyone without a token" : "this token") read "
                    + "\(name.repository): " + (token == nil ? "set HF_TOKEN" : "check HF_TOKEN and what it may read"))
        case (404, _):
            return HubError(.notFound, "\(name.repository) is not on \(host), or has no \(file): check the name")
        default:
            return HubError(
                "\(host) answers with status \(head.status) for \(file) of \(name): check HF_ENDPOINT and the proxy")
        }
    }
}
