/// A type of tensors, in the order in which safetensors' own writer puts them.
package enum TorchType: String, CaseIterable, Sendable {
    case int64 = "I64"
    case float64 = "F64"
    case float32 = "F32"
    case int32 = "I32"
    case bfloat16 = "BF16"
    case float16 = "F16"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    /// By the name of PyTorch's class of storages; nil for another.
    init?(storage name: String) {
        switch name {
        case "torch.LongStorage": self = .int64
        case "torch.DoubleStorage": self = .float64
        case "torch.FloatStorage": self = .float32
        case "torch.IntStorage": self = .int32
        case "torch.BFloat16Storage": self = .bfloat16
        case "torch.HalfStorage": self = .float16
        case "torch.ShortStorage": self = .int16
        case "torch.CharStorage": self = .int8
        case "torch.ByteStorage": self = .uint8
        case "torch.BoolStorage": self = .bool
        default: return nil
        }
    }

    package var bytes: Int {
        switch self {
        case .int64, .float64: 8
        case .float32, .int32: 4
        case .bfloat16, .float16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}
