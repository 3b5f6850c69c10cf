internal import CVectorMath
internal import Glibc
internal import Tensors

/// `cblas_sgemm` of a library with 32-bit integers.
@safe
struct LibraryProduct: Sendable {
    typealias Function =
        @convention(c) (
            _ layout: CInt, _ a: CInt, _ b: CInt, _ m: CInt, _ n: CInt, _ k: CInt, _ alpha: Float,
            UnsafePointer<Float>?, CInt,
            UnsafePointer<Float>?, CInt, _ beta: Float, UnsafeMutablePointer<Float>?, CInt
        ) -> Void

    let function: Function

    init(_ function: @escaping Function) { unsafe self.function = function }

    var address: UInt { unsafe unsafeBitCast(function, to: UInt.self) }
    init(address: UInt) { unsafe function = unsafeBitCast(address, to: Function.self) }
}

/// OpenBLAS as it was loaded into this process. It multiplies on the calling thread.
package struct OpenBLAS: Sendable {
    let product: LibraryProduct
    /// Version, core type and everything else that determines its bits.
    package let description: String
    /// Core type of the kernels in use.
    let coreType: String
    /// Threads that it was built for; nil: it does not say.
    package let mostThreads: Int?

    /// What a shell has to set for the same core type, which decides bits.
    package var assignment: String { "\(Self.coreTypeVariable)=\(coreType)" }

    /// The environment variable that chooses the core type when the library is loaded.
    package static let coreTypeVariable = "OPENBLAS_CORETYPE"

    /// Loads the library and compares some of its products with those of Apus's own kernels.
    static func load() throws(BLASError) -> OpenBLAS {
        // Its own threads would waste memory and processor time.
        unsafe setenv("OPENBLAS_NUM_THREADS", "1", 1)
        var library = try Library()
        if unsafe getenv(coreTypeVariable) == nil,
            let better = betterCoreType(than: library.coreType, hasAVX512: apus_processor_has_avx512() != 0)
        {
            library.close()
            unsafe setenv(coreTypeVariable, better, 1)  // the library reads it while it is loaded
            library = try Library()
        }
        guard ProductCheck.passes(library.product) else {
            throw BLASError(
                "\(Library.name) gives wrong matrix products: is it built with 32-bit integers and for this "
                    + "processor? Otherwise use --blas own"
            )
        }
        library.setThreads(1)
        return OpenBLAS(
            product: library.product, description: "\(library.configuration), core type \(library.coreType)",
            coreType: library.coreType,
            mostThreads: library.configuration.split(separator: " ").compactMap { word in
                word.hasPrefix("MAX_THREADS=") ? Int(word.dropFirst("MAX_THREADS=".count)) : nil
            }.first)
    }

    /// A core type that is faster than the library's own choice; nil: none.
    ///
    /// OpenBLAS 0.3.21 does not know recent processors: it chooses Haswell or Zen kernels on AMD's Zen 4 and later, and
    /// Prescott kernels of 2004 on Intel's Emerald Rapids. There, these have half and a tenth of the speed of its
    /// SkylakeX kernels.
    static func betterCoreType(than coreType: String, hasAVX512: Bool) -> String? {
        let forAVX512 = ["SkylakeX", "Cooperlake", "SapphireRapids"]
        let outdated = [
            "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Sandybridge", "Atom", "Barcelona", "Bobcat",
            "Opteron", "Generic",
        ]
        guard (outdated + ["Haswell", "Zen"]).contains(coreType), !forAVX512.contains(coreType) else { return nil }
        if hasAVX512 { return "SkylakeX" }
        return outdated.contains(coreType) ? "Haswell" : nil
    }

    /// Rows of the result that one call computes at most. The division of a product depends only on its shape, so that
    /// bits do not depend on threads.
    static let mostRows = 256

    /// The rows of each call for a result of `rows` rows: parts that differ by at most one row.
    static func calls(rows: Int) -> [Range<Int>] {
        let parts = (rows + mostRows - 1) / mostRows
        return (0..<parts).map { ($0 * rows / parts)..<(($0 + 1) * rows / parts) }
    }
}

/// The loaded file and its functions.
@safe
private struct Library {
    static let name = "libopenblas.so.0"
    let handle: UnsafeMutableRawPointer
    let product: LibraryProduct
    let coreType: String
    let configuration: String
    private let threadSetter: @convention(c) (CInt) -> Void

    init() throws(BLASError) {
        guard let handle = unsafe dlopen(Self.name, RTLD_NOW | RTLD_LOCAL) else {
            let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
            throw BLASError("OpenBLAS cannot be loaded (\(reason)): install libopenblas-dev, or use --blas own")
        }
        func function(_ symbol: String) throws(BLASError) -> UInt {
            let found = unsafe UInt(bitPattern: dlsym(handle, symbol))
            guard found != 0 else {
                throw BLASError(
                    "\(Self.name) has no function \(symbol), which OpenBLAS has: install libopenblas-dev, or use "
                        + "--blas own"
                )
            }
            return found
        }
        typealias Text = @convention(c) () -> UnsafePointer<CChar>?
        func text(_ symbol: String) throws(BLASError) -> String {
            let call = unsafe unsafeBitCast(try function(symbol), to: Text.self)
            return unsafe call().map { unsafe String(cString: $0) } ?? "?"
        }
        unsafe self.handle = handle
        product = LibraryProduct(address: try function("cblas_sgemm"))
        threadSetter = unsafe unsafeBitCast(
            try function("openblas_set_num_threads"), to: (@convention(c) (CInt) -> Void).self)
        coreType = try text("openblas_get_corename")
        configuration = try text("openblas_get_config").split(separator: " ").joined(separator: " ")
    }

    func setThreads(_ count: CInt) { threadSetter(count) }

    func close() { _ = unsafe dlclose(handle) }
}

/// Comparison of a library's products with those of Apus's own kernels.
enum ProductCheck {
    private static let shapes = [(1, 1, 1), (3, 5, 7), (1, 128, 40), (33, 17, 64), (64, 96, 300)]

    /// Whether products of some shapes, in each orientation, equal those of Apus's own kernels up to rounding.
    static func passes(_ product: LibraryProduct) -> Bool {
        shapes.allSatisfy { m, n, k in
            [Orientation.plain, .transposed].allSatisfy { a in
                [Orientation.plain, .transposed].allSatisfy { b in isRight(product, m, n, k, a, b) }
            }
        }
    }

    private static func isRight(
        _ product: LibraryProduct, _ m: Int, _ n: Int, _ k: Int, _ a: Orientation, _ b: Orientation
    ) -> Bool {
        func matrix(_ rows: Int, _ columns: Int, _ seed: Int) -> Matrix {
            let values = FloatBuffer(count: rows * columns).view
            values.copy(from: (0..<(rows * columns)).map { Float(($0 * 7 + seed) % 23 - 11) * 0.125 })
            return Matrix(values, rows: rows, columns: columns)
        }
        let x = a == .plain ? matrix(m, k, 3) : matrix(k, m, 3)
        let y = b == .plain ? matrix(k, n, 5) : matrix(n, k, 5)
        let (expected, found) = (matrix(m, n, 11), matrix(m, n, 11))
        multiplyInTiles(x, a, y, b, into: expected, scale: 0.5, accumulate: true)
        multiplyByLibrary(product, x, a, y, b, into: found, scale: 0.5, accumulate: true)
        return zip(expected.elements.array, found.elements.array).allSatisfy { abs($0 - $1) <= 1e-4 * (1 + abs($0)) }
    }
}
