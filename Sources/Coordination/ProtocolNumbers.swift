internal import Transport

/// The numbers of the encodings that processes of one run, or a build and the files of another, must have in common.
///
/// Whoever changes an encoding raises its number: `FrozenEncodingsTests` holds the bytes of each number. Envelopes and
/// frames repeat theirs in each header; checkpoints have one in their manifest (``Checkpoints/CheckpointStore``), and
/// journals one in their first entry.
package struct ProtocolNumbers: Codable, Sendable, Equatable, CustomStringConvertible {
    /// Messages of the control plane: arguments and results of distributed calls, and their encoding.
    package var control: Int
    /// Frames of the data plane, and the shards, states and features that travel in them.
    package var frames: Int

    package init(control: Int, frames: Int) {
        self.control = control
        self.frames = frames
    }

    /// Those of this build.
    package static let current = ProtocolNumbers(control: 6, frames: Int(FrameCodec.version))
    /// Those of builds that did not say theirs.
    package static let unnamed = ProtocolNumbers(control: 1, frames: 2)

    package var description: String { "control messages \(control) and frames \(frames)" }
}
