import CCUDA
import Tensors

/// Everything about matrix products op(a) · op(b), row-major, except the addresses. `batches` of them, of one size, are computed at once:
/// the rows of both factors and of the output are divided into as many pieces.
struct ProductShape: Hashable {
    let batches: Int
    let rows, columns, depth: Int
    let aTransposed, bTransposed: Bool
    let aStride, bStride, outputStride: Int
    /// Elements from a piece to the next.
    let aStep, bStep, outputStep: Int
    /// Alignment of the addresses of all pieces: powers of two up to 256.
    let aAlignment, bAlignment, outputAlignment: Int
    let precision: Precision

    init(
        _ a: Tensor, _ aTransposed: Bool, _ b: Tensor, _ bTransposed: Bool, _ output: Tensor, batches: Int = 1,
        _ precision: Precision
    ) {
        self.batches = batches
        (rows, columns) = (output.rows / batches, output.columns)
        depth = aTransposed ? a.rows / batches : a.columns
        func step(_ tensor: Tensor) -> Int { batches > 1 ? tensor.rows / batches * tensor.stride : 0 }
        (aStep, bStep, outputStep) = (step(a), step(b), step(output))
        (self.aTransposed, self.bTransposed) = (aTransposed, bTransposed)
        (aStride, bStride, outputStride) = (a.stride, b.stride, output.stride)
        (aAlignment, bAlignment) = (alignment(a, aStep), alignment(b, bStep))
        outputAlignment = alignment(output, outputStep)
        self.precision = precision
    }
}

private func alignment(_ tensor: Tensor, _ step: Int) -> Int {
    1 << min(8, (Int(bitPattern: tensor.pointer) | 4 * step).trailingZeroBitCount)
}

/// cuBLASLt's descriptors and algorithm for a shape.
struct ProductPlan {
    let product, a, b, output: UnsafeMutableRawPointer?
    let algorithm: cu_algorithm
}

/// The plans of all shapes so far. cuBLASLt is column-major: it computes the transposed output, with the factors swapped.
struct ProductPlans {
    let functions: cu_products
    private let handle: UnsafeMutableRawPointer?
    private(set) var plans: [ProductPlan] = []
    private var numbers: [ProductShape: Int] = [:]
    /// Scratch memory that an algorithm may use.
    static let workspaceBytes = 32 << 20

    init(_ functions: cu_products) throws(CUDAError) {
        self.functions = functions
        var handle: UnsafeMutableRawPointer?
        let status = functions.cublasLtCreate(&handle)
        guard status == 0 else { throw .call("cublasLtCreate", error: "status \(status)") }
        self.handle = handle
    }

    /// Number of the plan of a shape, made where it is new.
    mutating func number(of shape: ProductShape) throws(CUDAError) -> Int {
        if let known = numbers[shape] { return known }
        plans.append(try plan(shape))
        numbers[shape] = plans.count - 1
        return plans.count - 1
    }

    /// Whether there are so many plans that all should be dropped: batches of ever new sizes, outside of training.
    var isFull: Bool { plans.count >= Self.maximumPlans }
    static let maximumPlans = 4096

    /// Drops all plans, and with them their numbers.
    mutating func forget() {
        for plan in plans {
            _ = functions.cublasLtMatmulDescDestroy(plan.product)
            for layout in [plan.a, plan.b, plan.output] { _ = functions.cublasLtMatrixLayoutDestroy(layout) }
        }
        (plans, numbers) = ([], [:])
    }

    mutating func free() {
        forget()
        _ = functions.cublasLtDestroy(handle)
    }

    /// Queues a product; returns cuBLASLt's status.
    func run(
        _ plan: ProductPlan, a: cu_address, b: cu_address, output: cu_address, accumulates: Bool, workspace: cu_address,
        stream: UnsafeMutableRawPointer?
    ) -> Int32 {
        var (one, beta, algorithm): (Float, Float, cu_algorithm) = (1, accumulates ? 1 : 0, plan.algorithm)
        func pointer(_ address: cu_address) -> UnsafeMutableRawPointer? { .init(bitPattern: UInt(address)) }
        return functions.cublasLtMatmul(
            handle, plan.product, &one, pointer(b), plan.b, pointer(a), plan.a, &beta, pointer(output), plan.output,
            pointer(output), plan.output, &algorithm, pointer(workspace), Self.workspaceBytes, stream)
    }

    /// Falls back to float32 where there is no algorithm of the shape's precision: for example, tensor cores need strides that are
    /// multiples of 16 bytes.
    private func plan(_ shape: ProductShape) throws(CUDAError) -> ProductPlan {
        do { return try plan(shape, shape.precision.computeType) } catch {
            return try plan(shape, Int32(CU_COMPUTE_FLOAT32))
        }
    }

    private func plan(_ shape: ProductShape, _ computeType: Int32) throws(CUDAError) -> ProductPlan {
        var product: UnsafeMutableRawPointer?
        _ = functions.cublasLtMatmulDescCreate(&product, computeType, Int32(CU_FLOAT32))
        func set(_ attribute: Int, _ transposed: Bool) {
            var value = Int32(transposed ? CU_TRANSPOSED : CU_AS_IT_IS)
            _ = functions.cublasLtMatmulDescSetAttribute(product, Int32(attribute), &value, 4)
        }
        set(CU_PRODUCT_TRANSPOSE_A, shape.bTransposed)
        set(CU_PRODUCT_TRANSPOSE_B, shape.aTransposed)
        let (depth, rows, columns) = (shape.depth, shape.rows, shape.columns)
        let b = layout(shape.bTransposed ? (depth, columns) : (columns, depth), shape.bStride, shape, shape.bStep)
        let a = layout(shape.aTransposed ? (rows, depth) : (depth, rows), shape.aStride, shape, shape.aStep)
        let output = layout((columns, rows), shape.outputStride, shape, shape.outputStep)
        let algorithm = try algorithm(shape, product, b, a, output)
        return ProductPlan(product: product, a: a, b: b, output: output, algorithm: algorithm)
    }

    private func layout(
        _ size: (rows: Int, columns: Int), _ stride: Int, _ shape: ProductShape, _ step: Int
    ) -> UnsafeMutableRawPointer? {
        var layout: UnsafeMutableRawPointer?
        _ = functions.cublasLtMatrixLayoutCreate(
            &layout, Int32(CU_FLOAT32), UInt64(size.rows), UInt64(size.columns), Int64(stride))
        guard shape.batches > 1 else { return layout }
        var (batches, offset) = (Int32(shape.batches), Int64(step))
        _ = functions.cublasLtMatrixLayoutSetAttribute(layout, Int32(CU_LAYOUT_BATCHES), &batches, 4)
        _ = functions.cublasLtMatrixLayoutSetAttribute(layout, Int32(CU_LAYOUT_BATCH_STEP), &offset, 8)
        return layout
    }

    private func algorithm(
        _ shape: ProductShape, _ product: UnsafeMutableRawPointer?, _ first: UnsafeMutableRawPointer?,
        _ second: UnsafeMutableRawPointer?, _ output: UnsafeMutableRawPointer?
    ) throws(CUDAError) -> cu_algorithm {
        var preference: UnsafeMutableRawPointer?
        _ = functions.cublasLtMatmulPreferenceCreate(&preference)
        defer { _ = functions.cublasLtMatmulPreferenceDestroy(preference) }
        var workspace = Self.workspaceBytes
        _ = functions.cublasLtMatmulPreferenceSetAttribute(
            preference, Int32(CU_PREFER_WORKSPACE_BYTES), &workspace, MemoryLayout<Int>.size)
        func set(_ attribute: Int, _ number: Int) {
            var value = UInt32(number)
            _ = functions.cublasLtMatmulPreferenceSetAttribute(preference, Int32(attribute), &value, 4)
        }
        // Where a sum over the depth is divided, its parts are added in a fixed order: equal seeds give equal bits.
        set(CU_PREFER_REDUCTIONS, CU_REDUCE_FROM_WORKSPACE)
        set(CU_PREFER_ALIGNMENT_A, shape.bAlignment)
        set(CU_PREFER_ALIGNMENT_B, shape.aAlignment)
        set(CU_PREFER_ALIGNMENT_C, shape.outputAlignment)
        set(CU_PREFER_ALIGNMENT_D, shape.outputAlignment)
        var (result, found) = (cu_heuristic(), Int32(0))
        let status = functions.cublasLtMatmulAlgoGetHeuristic(
            handle, product, first, second, output, output, preference, 1, &result, &found)
        guard status == 0, found > 0, result.status == 0 else {
            let what = "\(shape.rows) × \(shape.columns) × \(shape.depth)"
            throw .call("cublasLtMatmulAlgoGetHeuristic (\(what))", error: "status \(status), \(found) algorithms")
        }
        return result.algorithm
    }
}

extension Precision {
    /// The constant of cuBLASLt.
    fileprivate var computeType: Int32 {
        switch self {
        case .float32: Int32(CU_COMPUTE_FLOAT32)
        case .tf32: Int32(CU_COMPUTE_TF32)
        case .bfloat16: Int32(CU_COMPUTE_BFLOAT16)
        }
    }
}
