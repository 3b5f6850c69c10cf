/// Reads a pickle of tensors, plain dictionaries, lists, tuples, texts and numbers, and runs nothing.
///
/// A pickle is a program for a small stack machine. This one knows the instructions that `torch.save` writes and a
/// fixed list of names; every other name or instruction ends it. Values are kept in one array and refer to each other
/// by index, so that neither nesting nor sharing costs more than the instructions themselves.
/// Source: Python's `pickletools`.
struct PickleReader {
    enum Value: Equatable {
        case none
        case bool(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        case name(String)
        /// Index of a list, tuple or dictionary.
        case container(Int)
        case storage(Int)
        case tensor(Int)
    }

    enum Container: Equatable {
        case tuple([Value])
        case list([Value])
        /// Keys and values in the order in which they were set.
        case dictionary([(key: Value, value: Value)])

        static func == (first: Container, second: Container) -> Bool { false }
    }

    struct Storage: Equatable {
        let type: TorchType
        let key: String
        /// Elements.
        let count: Int
    }

    struct Tensor: Equatable {
        let storage: Storage
        let offset: Int
        let shape: [Int]
        let strides: [Int]
    }

    private(set) var containers: [Container] = []
    private(set) var storages: [Storage] = []
    private(set) var tensors: [Tensor] = []
    private var stack: [Value] = []
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private let bytes: [UInt8]
    private var offset = 0
    /// Elements of all containers.
    private var cells = 0

    /// A model of a thousand layers has some 100 kB.
    static let longest = 32 << 20
    private static let mostInstructions = 8 << 20
    private static let mostCells = 4 << 20
    private static let longestText = 1 << 16
    private static let mostDimensions = 16

    private static let allowed: Set = [
        "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.Size",
    ]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Runs the pickle and returns what it leaves.
    mutating func value() throws(TorchFileError) -> Value {
        guard bytes.count <= Self.longest else {
            throw TorchFileError("its pickle has \(bytes.count) bytes, at most \(Self.longest) are read")
        }
        for _ in 0..<Self.mostInstructions {
            let code = try byte()
            if code == UInt8(ascii: ".") {
                let result = try pop()
                guard stack.isEmpty, marks.isEmpty else { throw Self.damaged("values are left over") }
                return result
            }
            try run(code)
            guard cells <= Self.mostCells, stack.count <= Self.mostCells, memo.count <= Self.mostCells else {
                throw TorchFileError("its pickle has over \(Self.mostCells) values: do not use this file")
            }
        }
        throw TorchFileError("its pickle has over \(Self.mostInstructions) instructions: do not use this file")
    }

    private static func damaged(_ what: String) -> TorchFileError {
        TorchFileError("its pickle is damaged (\(what)): download the file again")
    }

    // MARK: Bytes

    private mutating func byte() throws(TorchFileError) -> UInt8 { try take(1)[offset - 1] }

    private mutating func take(_ count: Int) throws(TorchFileError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - offset else { throw Self.damaged("it is cut") }
        offset += count
        return bytes[(offset - count)..<offset]
    }

    private mutating func number(_ width: Int) throws(TorchFileError) -> Int {
        guard let value = try take(width).number(at: 0, width: width) else { throw Self.damaged("a size is too large") }
        return value
    }

    private mutating func text(_ length: Int) throws(TorchFileError) -> String {
        guard length <= Self.longestText else { throw Self.damaged("a text has \(length) bytes") }
        guard let text = String(validating: try take(length), as: UTF8.self) else {
            throw Self.damaged("a text is not UTF-8")
        }
        return text
    }

    private mutating func line() throws(TorchFileError) -> String {
        guard let end = bytes[offset...].prefix(256).firstIndex(of: 0x0A) else {
            throw Self.damaged("a name has no end")
        }
        defer { offset = end + 1 }
        guard let text = String(validating: bytes[offset..<end], as: UTF8.self) else {
            throw Self.damaged("a name is not UTF-8")
        }
        return text
    }

    // MARK: Stack

    private mutating func pop() throws(TorchFileError) -> Value {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw Self.damaged("a value is missing")
        }
        return value
    }

    private mutating func popToMark() throws(TorchFileError) -> [Value] {
        guard let mark = marks.popLast() else { throw Self.damaged("a mark is missing") }
        let values = Array(stack[mark...])
        stack.removeLast(stack.count - mark)
        return values
    }

    private mutating func push(_ container: Container, cells added: Int = 0) {
        containers.append(container)
        cells += 1 + added
        stack.append(.container(containers.count - 1))
    }

    private mutating func pushTuple(_ values: [Value]) { push(.tuple(values), cells: values.count) }

    private func tuple(_ value: Value) throws(TorchFileError) -> [Value] {
        guard case .container(let index) = value, case .tuple(let values) = containers[index] else {
            throw Self.damaged("a tuple is missing")
        }
        return values
    }

    private func integers(_ value: Value) throws(TorchFileError) -> [Int] {
        let values = try tuple(value)
        guard values.count <= Self.mostDimensions else { throw Self.damaged("a tensor of \(values.count) dimensions") }
        var numbers: [Int] = []
        for value in values {
            guard case .integer(let number) = value, number >= 0 else {
                throw Self.damaged("a shape is not of numbers")
            }
            numbers.append(number)
        }
        return numbers
    }

    // MARK: Instructions

    private mutating func run(_ code: UInt8) throws(TorchFileError) {
        switch code {
        case 0x80: _ = try byte()
        case 0x95: _ = try take(8)
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.integer(try number(1)))
        case UInt8(ascii: "M"): stack.append(.integer(try number(2)))
        case UInt8(ascii: "J"):
            stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
        case 0x8A: try long()
        case UInt8(ascii: "G"):
            stack.append(.number(Double(bitPattern: try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })))
        case UInt8(ascii: "X"): stack.append(.text(try text(try number(4))))
        case 0x8C: stack.append(.text(try text(try number(1))))
        case UInt8(ascii: ")"): pushTuple([])
        case UInt8(ascii: "t"): pushTuple(try popToMark())
        case 0x85...0x87:
            var values: [Value] = []
            for _ in 0..<Int(code - 0x84) { values.append(try pop()) }
            pushTuple(values.reversed())
        case UInt8(ascii: "]"): push(.list([]))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "}"): push(.dictionary([]))
        case UInt8(ascii: "s"):
            let value = try pop()
            try set([try pop(), value])
        case UInt8(ascii: "u"): try set(try popToMark())
        case UInt8(ascii: "c"):
            let module = try line()
            try name(module, try line())
        case 0x93:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw Self.damaged("a name is missing")
            }
            try self.name(module, name)
        case UInt8(ascii: "q"): memo[try number(1)] = try top()
        case UInt8(ascii: "r"): memo[try number(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): try recall(try number(1))
        case UInt8(ascii: "j"): try recall(try number(4))
        case UInt8(ascii: "Q"): try storage(try tuple(try pop()))
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"): try build()
        default:
            throw TorchFileError(
                "its pickle has the instruction 0x\(String(code, radix: 16)) at byte \(offset - 1), which a file of "
                    + "weights does not need: do not use this file")
        }
    }

    private func top() throws(TorchFileError) -> Value {
        guard stack.count > (marks.last ?? 0), let value = stack.last else { throw Self.damaged("a value is missing") }
        return value
    }

    private mutating func recall(_ index: Int) throws(TorchFileError) {
        guard let value = memo[index] else { throw Self.damaged("a value is recalled before it is kept") }
        stack.append(value)
    }

    private mutating func long() throws(TorchFileError) {
        let length = try number(1)
        let bytes = try take(length)
        guard length <= 8 else { throw Self.damaged("a number of \(length) bytes") }
        var value: UInt64 = bytes.last.map { $0 >= 0x80 } == true ? .max : 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        stack.append(.integer(Int(truncatingIfNeeded: value)))
    }

    private mutating func append(_ values: [Value]) throws(TorchFileError) {
        guard case .container(let index) = try top(), case .list(var list) = containers[index] else {
            throw Self.damaged("a list is missing")
        }
        containers[index] = .list([])
        list += values
        cells += values.count
        containers[index] = .list(list)
    }

    private mutating func set(_ values: [Value]) throws(TorchFileError) {
        guard values.count.isMultiple(of: 2), case .container(let index) = try top(),
            case .dictionary(var members) = containers[index]
        else { throw Self.damaged("a dictionary is missing") }
        containers[index] = .dictionary([])
        for place in stride(from: 0, to: values.count, by: 2) {
            members.append((key: values[place], value: values[place + 1]))
        }
        cells += values.count
        containers[index] = .dictionary(members)
    }

    private mutating func name(_ module: String, _ name: String) throws(TorchFileError) {
        let whole = "\(module).\(name)"
        guard Self.allowed.contains(whole) || TorchType(storage: whole) != nil else {
            let isSafe = whole.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            throw TorchFileError(
                "its pickle names \(isSafe ? String(whole.prefix(80)) : "something"), expected tensors, dictionaries, "
                    + "texts and numbers only: do not load this file with Python either, unless you trust it")
        }
        stack.append(.name(whole))
    }

    private mutating func storage(_ values: [Value]) throws(TorchFileError) {
        guard values.count == 5, values[0] == .text("storage"), case .name(let name) = values[1],
            let type = TorchType(storage: name), case .text(let key) = values[2], case .integer(let count) = values[4],
            count >= 0, !key.isEmpty, key.utf8.count <= 64
        else { throw Self.damaged("a storage is not described as torch.save does") }
        cells += 1
        storages.append(Storage(type: type, key: key, count: count))
        stack.append(.storage(storages.count - 1))
    }

    private mutating func reduce() throws(TorchFileError) {
        let arguments = try tuple(try pop())
        switch (try pop(), arguments.count) {
        case (.name("collections.OrderedDict"), 0): push(.dictionary([]))
        case (.name("torch.Size"), 1): stack.append(arguments[0])
        case (.name("torch._utils._rebuild_parameter"), 3):
            guard case .tensor = arguments[0] else { throw Self.damaged("a parameter without a tensor") }
            stack.append(arguments[0])
        case (.name("torch._utils._rebuild_tensor_v2"), 6...7):
            guard case .storage(let storage) = arguments[0], case .integer(let start) = arguments[1], start >= 0 else {
                throw Self.damaged("a tensor without a storage")
            }
            let (shape, strides) = (try integers(arguments[2]), try integers(arguments[3]))
            guard shape.count == strides.count else { throw Self.damaged("a tensor with another number of strides") }
            cells += 1 + shape.count
            tensors.append(Tensor(storage: storages[storage], offset: start, shape: shape, strides: strides))
            stack.append(.tensor(tensors.count - 1))
        default: throw Self.damaged("something is called as torch.save does not")
        }
    }

    /// A dictionary's attributes, such as `_metadata`, are dropped.
    private mutating func build() throws(TorchFileError) {
        _ = try pop()
        guard case .container(let index) = try top(), case .dictionary = containers[index] else {
            throw Self.damaged("something is built as torch.save does not")
        }
    }
}
