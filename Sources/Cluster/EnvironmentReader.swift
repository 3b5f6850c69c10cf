/// Variables of an environment, checked as they are read.
struct EnvironmentReader {
    let values: [String: String]

    /// The variable's value; an empty one counts as absent.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    func number(_ name: String?, from least: Int = 0) throws(PlaceError) -> Int? {
        guard let name, let text = self[name] else { return nil }
        guard let number = Int(text), (least..<65_536).contains(number) else {
            throw PlaceError(description: "\(name) is \(text): it must be a whole number from \(least) to 65535")
        }
        return number
    }

    /// The first of these sizes that is set.
    func firstSize(_ names: [String]) throws(PlaceError) -> Int? {
        try number(names.first { self[$0] != nil }, from: 1)
    }

    func port(_ name: String) throws(PlaceError) -> UInt16? {
        guard let text = self[name] else { return nil }
        guard let port = UInt16(text), port > 0 else {
            throw PlaceError(description: "\(name) is \(text): it must be a port from 1 to 65535")
        }
        return port
    }

    func endpoint() throws(PlaceError) -> String? {
        guard let text = self["APUS_COORDINATOR"] else { return nil }
        do { return try EndpointText.read(text) } catch {
            throw PlaceError(description: "APUS_COORDINATOR: \(error.description)")
        }
    }

    func torchEndpoint() throws(PlaceError) -> String? {
        guard let address = self["MASTER_ADDR"] else { return nil }
        guard let port = try port("MASTER_PORT") else {
            throw PlaceError(
                description: "MASTER_ADDR is \(address) but MASTER_PORT is not set: set it to the coordinator's port")
        }
        return endpoint(address, port)
    }

    /// Whether torchrun itself listens at `MASTER_PORT`, with its own store.
    var hasAgentStore: Bool { self["TORCHELASTIC_USE_AGENT_STORE"] == "True" }

    /// Rank 0's host, and `APUS_PORT` or the port beside torchrun's.
    func agentEndpoint() throws(PlaceError) -> String? {
        guard let address = self["MASTER_ADDR"] else { return nil }
        if let port = try port("APUS_PORT") { return endpoint(address, port) }
        guard let port = try port("MASTER_PORT") else { return nil }
        return endpoint(address, port == .max ? port - 1 : port + 1)
    }

    /// The first host of the step, or of the whole job, and a port that every task derives in the same way.
    func slurmEndpoint(ofStep: Bool) throws(PlaceError) -> String? {
        let step = ofStep ? self["SLURM_STEP_NODELIST"] : nil
        guard let list = step ?? self["SLURM_JOB_NODELIST"] ?? self["SLURM_NODELIST"] else { return nil }
        let hosts: [String]
        do { hosts = try SlurmHosts.expand(list) } catch { throw PlaceError(description: "\(error)") }
        if let port = try port("APUS_PORT") { return endpoint(hosts[0], port) }
        guard let job = self["SLURM_JOB_ID"] ?? self["SLURM_JOBID"], let number = UInt32(job) else {
            throw PlaceError(
                description: "Slurm gives no SLURM_JOB_ID to derive the coordinator's port from: set APUS_PORT")
        }
        return endpoint(hosts[0], UInt16(20_000 + number % 10_000))
    }

    private func endpoint(_ address: String, _ port: UInt16) -> String {
        address.contains(":") && !address.hasPrefix("[") ? "tcp://[\(address)]:\(port)" : "tcp://\(address):\(port)"
    }
}
