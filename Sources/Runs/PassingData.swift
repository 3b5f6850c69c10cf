internal import Configuration
internal import TextData

extension TrainingConfiguration {
    /// A data file that cannot be read again, such as `/dev/stdin` or a shell's `<(…)`; nil if all can.
    var passingData: String? {
        let named = [train, validation, test, sourceTrain, sourceValidation].compactMap(\.self)
        return named.flatMap(DataFiles.parts).first { $0.hasPrefix("/dev/") || $0.hasPrefix("/proc/") }
    }
}
