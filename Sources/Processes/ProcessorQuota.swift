/// The processor time that control groups allow this process: `docker run --cpus`, Kubernetes' limits, systemd's
/// CPUQuota.
///
/// A group's quota holds for all groups below it, so every level from the process's own up to the root counts. Sources:
/// the kernel's admin-guide/cgroup-v2.rst (cpu.max) and scheduler/sched-bwc.rst (version 1), proc(5) for mountinfo.
struct ProcessorQuota {
    /// Whole processors, at least 1; nil if there is no quota.
    let processors: Int?

    /// - Parameter read: the text of a file; nil if there is none.
    init(read: (String) -> String?) {
        let mounts = Mount.all(in: read("/proc/self/mountinfo") ?? "")
        var least: Double?
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            // `hierarchy:controllers:path`; version 2 has the hierarchy 0 and no controllers.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu") else { continue }
            for mount in mounts where mount.isUnified == isUnified && (isUnified || mount.controllers.contains("cpu")) {
                for folder in mount.folders(of: fields[2]) {
                    guard let quota = isUnified ? Self.unified(folder, read) : Self.legacy(folder, read) else {
                        continue
                    }
                    least = min(least ?? quota, quota)
                }
            }
        }
        processors = least.map { max(1, Int(min($0, 1e6))) }
    }

    /// `cpu.max` holds the microseconds allowed in a period, or `max`, and the period.
    private static func unified(_ folder: String, _ read: (String) -> String?) -> Double? {
        let words = read("\(folder)/cpu.max").map(words) ?? []
        return words.count == 2 ? ratio(words[0], words[1]) : nil
    }

    /// In version 1 each has a file of its own, and a quota of -1 means none.
    private static func legacy(_ folder: String, _ read: (String) -> String?) -> Double? {
        guard let quota = read("\(folder)/cpu.cfs_quota_us").map(words)?.first,
            let period = read("\(folder)/cpu.cfs_period_us").map(words)?.first
        else { return nil }
        return ratio(quota, period)
    }

    private static func words(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }

    private static func ratio(_ quota: Substring, _ period: Substring) -> Double? {
        guard let quota = Int(quota), let period = Int(period), quota > 0, period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    /// A mounted hierarchy of control groups.
    private struct Mount {
        let folder: String
        /// The group that the folder shows: not the hierarchy's root inside some containers.
        let root: Substring
        let isUnified: Bool
        let controllers: Set<Substring>

        /// `id parent device ROOT FOLDER options tags… - TYPE source OPTIONS`
        static func all(in text: String) -> [Mount] {
            text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3,
                    ["cgroup", "cgroup2"].contains(words[dash + 1])
                else { return nil }
                return Mount(
                    folder: String(words[4]), root: words[3], isUnified: words[dash + 1] == "cgroup2",
                    controllers: Set(words[dash + 3].split(separator: ",")))
            }
        }

        /// The folders of a group and of all above it that are shown here.
        func folders(of group: Substring) -> [String] {
            var path = group
            if root != "/" { path = group.hasPrefix(root) ? group.dropFirst(root.count) : "" }
            var folders = [folder]
            for name in path.split(separator: "/") {
                // A group outside the own namespace is shown as /..
                guard name != ".." else { return [folder] }
                folders.append("\(folders[folders.count - 1])/\(name)")
            }
            return folders
        }
    }
}
