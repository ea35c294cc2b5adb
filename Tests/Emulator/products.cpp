// libcublasLt: descriptions of matrix products, and their checks. Matrices are column-major, as there.
#include <math.h>
#include <string.h>

#include "driver_state.h"
#include "fibers.h"
#include "memory.h"
#include "multiply.h"
#include "settings.h"
#include "stream.h"

namespace emulator {
namespace {

/// cublasStatus_t.
enum { NOT_INITIALIZED_STATUS = 1, INVALID_VALUE_STATUS = 7, NOT_SUPPORTED = 15 };

struct Product {
    int compute_type;
    int transpose_a = CU_AS_IT_IS, transpose_b = CU_AS_IT_IS;
};
struct Layout {
    uint64_t rows, columns;
    int64_t stride;
    int32_t batches = 1;
    int64_t step = 0;  // from one matrix of a batch to the next
};
struct Preference {
    uint64_t workspace_bytes = 0;
    uint32_t reductions = 7;  // every one
    uint32_t alignment[4] = {256, 256, 256, 256};  // of A, B, C, D
};
struct Library {};

Handles<Library> libraries;
Handles<Product> products;
Handles<Layout> layouts;
Handles<Preference> preferences;

/// What cu_algorithm holds here: for which product it is, and how the pointers must be aligned.
struct Algorithm {
    uint64_t magic;
    int compute_type, transpose_a, transpose_b, unused;
    uint32_t alignment[4];
};
constexpr uint64_t algorithm_magic = 0x616c676f72697468;
static_assert(sizeof(Algorithm) <= sizeof(cu_algorithm), "an algorithm has room for that");

/// The five descriptions of a call; all there and of sizes that fit, or not `valid`.
struct Call {
    std::shared_ptr<Product> product;
    std::shared_ptr<Layout> a, b, c, d;

    Call(void *product_handle, void *a_handle, void *b_handle, void *c_handle, void *d_handle)
        : product(products.find(product_handle)), a(layouts.find(a_handle)), b(layouts.find(b_handle)),
          c(layouts.find(c_handle)), d(layouts.find(d_handle)) {}

    uint64_t rows() const { return product->transpose_a ? a->columns : a->rows; }
    uint64_t depth() const { return product->transpose_a ? a->rows : a->columns; }
    uint64_t columns() const { return product->transpose_b ? b->rows : b->columns; }

    bool valid() const {
        if (!product || !a || !b || !c || !d) return false;
        for (const auto &layout : {a, b, c, d})
            if (!layout->rows || !layout->columns || layout->stride < int64_t(layout->rows) ||
                layout->batches != d->batches)
                return false;
        return depth() == (product->transpose_b ? b->columns : b->rows) && rows() == d->rows &&
               columns() == d->columns && c->rows == d->rows && c->columns == d->columns;
    }
};

size_t bytes_of(const Layout &layout) {
    size_t before = size_t(layout.batches - 1) * size_t(layout.step);
    return (before + (layout.columns - 1) * size_t(layout.stride) + layout.rows) * sizeof(float);
}

/// Columns of two matrices may take turns in memory, as halves of the rows of one row-major matrix do.
bool overlap(const void *a, const Layout &a_layout, const void *b, const Layout &b_layout) {
    const char *x = (const char *)a, *y = (const char *)b;
    if (x >= y + bytes_of(b_layout) || y >= x + bytes_of(a_layout)) return false;
    if (a_layout.stride != b_layout.stride) return true;
    int64_t offset = (y - x) / int64_t(sizeof(float)) % a_layout.stride;
    if (offset < 0) offset += a_layout.stride;
    return offset < int64_t(a_layout.rows) || offset + int64_t(b_layout.rows) > a_layout.stride;
}

/// Real hardware would compute something, or fail much later: here the test ends.
void check_memory(const char *name, const void *matrix, const Layout &layout) {
    if (!on_device((cu_address)matrix, bytes_of(layout)))
        fail("cublasLtMatmul: %s, %llu x %llu with stride %lld, is not within one block of the device's memory", name,
             (unsigned long long)layout.rows, (unsigned long long)layout.columns, (long long)layout.stride);
}

/// Every matrix of a batch must be aligned.
void check_alignment(const Algorithm &algorithm, const void *const matrices[4], const Layout *const layouts[4]) {
    for (int i = 0; i < 4; i++)
        if (((uintptr_t)matrices[i] | (uintptr_t)layouts[i]->step * sizeof(float)) % algorithm.alignment[i])
            fail("cublasLtMatmul: %c is at %p, but the algorithm was asked for with an alignment of %u bytes",
                 "ABCD"[i], matrices[i], algorithm.alignment[i]);
}

bool is_power_of_two(uint32_t x) { return x && !(x & (x - 1)); }

}  // namespace
}  // namespace emulator

using namespace emulator;

int cublasLtDestroy(void *handle) {
    EMULATOR_LOCKED;
    return libraries.remove(handle) ? 0 : NOT_INITIALIZED_STATUS;
}

int cublasLtCreate(void **handle) {
    EMULATOR_LOCKED;
    if (!current_device) return NOT_INITIALIZED_STATUS;
    *handle = libraries.add(std::make_shared<Library>());
    return 0;
}

// MARK: Descriptions

int cublasLtMatmulDescCreate(void **product, int compute_type, int scale_type) {
    EMULATOR_LOCKED;
    if (compute_type != CU_COMPUTE_FLOAT32 && compute_type != CU_COMPUTE_BFLOAT16 && compute_type != CU_COMPUTE_TF32)
        return NOT_SUPPORTED;
    if (scale_type != CU_FLOAT32) return NOT_SUPPORTED;
    *product = products.add(std::make_shared<Product>(Product{compute_type}));
    return 0;
}

int cublasLtMatmulDescDestroy(void *product) {
    EMULATOR_LOCKED;
    return products.remove(product) ? 0 : INVALID_VALUE_STATUS;
}

int cublasLtMatmulDescSetAttribute(void *handle, int attribute, const void *value, size_t bytes) {
    EMULATOR_LOCKED;
    auto product = products.find(handle);
    int32_t transpose;
    if (!product || !value || bytes != sizeof transpose) return INVALID_VALUE_STATUS;
    memcpy(&transpose, value, bytes);
    if (transpose != CU_AS_IT_IS && transpose != CU_TRANSPOSED) return INVALID_VALUE_STATUS;
    if (attribute == CU_PRODUCT_TRANSPOSE_A)
        product->transpose_a = transpose;
    else if (attribute == CU_PRODUCT_TRANSPOSE_B)
        product->transpose_b = transpose;
    else
        return INVALID_VALUE_STATUS;
    return 0;
}

int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
    EMULATOR_LOCKED;
    if (type != CU_FLOAT32) return NOT_SUPPORTED;
    *layout = layouts.add(std::make_shared<Layout>(Layout{rows, columns, stride}));
    return 0;
}

int cublasLtMatrixLayoutSetAttribute(void *handle, int attribute, const void *value, size_t bytes) {
    EMULATOR_LOCKED;
    auto layout = layouts.find(handle);
    if (!layout || !value) return INVALID_VALUE_STATUS;
    if (attribute == CU_LAYOUT_BATCHES && bytes == sizeof layout->batches)
        memcpy(&layout->batches, value, bytes);
    else if (attribute == CU_LAYOUT_BATCH_STEP && bytes == sizeof layout->step)
        memcpy(&layout->step, value, bytes);
    else
        return INVALID_VALUE_STATUS;
    return layout->batches >= 1 && layout->step >= 0 ? 0 : INVALID_VALUE_STATUS;
}

int cublasLtMatrixLayoutDestroy(void *layout) {
    EMULATOR_LOCKED;
    return layouts.remove(layout) ? 0 : INVALID_VALUE_STATUS;
}

int cublasLtMatmulPreferenceCreate(void **preference) {
    EMULATOR_LOCKED;
    *preference = preferences.add(std::make_shared<Preference>());
    return 0;
}

int cublasLtMatmulPreferenceDestroy(void *preference) {
    EMULATOR_LOCKED;
    return preferences.remove(preference) ? 0 : INVALID_VALUE_STATUS;
}

int cublasLtMatmulPreferenceSetAttribute(void *handle, int attribute, const void *value, size_t bytes) {
    EMULATOR_LOCKED;
    auto preference = preferences.find(handle);
    if (!preference || !value) return INVALID_VALUE_STATUS;
    if (attribute == CU_PREFER_WORKSPACE_BYTES && bytes == sizeof preference->workspace_bytes) {
        memcpy(&preference->workspace_bytes, value, bytes);
        return 0;
    }
    uint32_t number;
    if (bytes != sizeof number) return INVALID_VALUE_STATUS;
    memcpy(&number, value, bytes);
    if (attribute == CU_PREFER_REDUCTIONS) {
        preference->reductions = number;
        return 0;
    }
    bool known = attribute >= CU_PREFER_ALIGNMENT_A && attribute <= CU_PREFER_ALIGNMENT_D;
    if (!known || !is_power_of_two(number)) return INVALID_VALUE_STATUS;
    preference->alignment[attribute - CU_PREFER_ALIGNMENT_A] = number;
    return 0;
}

// MARK: Products

int cublasLtMatmulAlgoGetHeuristic(void *handle, void *product, void *a, void *b, void *c, void *d, void *preference,
                                   int wanted, cu_heuristic *results, int *found) {
    EMULATOR_LOCKED;
    Call call(product, a, b, c, d);
    auto preferred = preferences.find(preference);
    if (!libraries.find(handle) || !call.valid() || !preferred || wanted < 1 || !results || !found)
        return INVALID_VALUE_STATUS;
    *found = 0;
    // No order of sums is promised then, and the same seed need not give the same bits.
    if (preferred->reductions & CU_REDUCE_IN_PLACE) fail("cublasLtMatmulAlgoGetHeuristic: sums may be reduced in place");
    for (uint32_t alignment : preferred->alignment)
        if (alignment < sizeof(float)) return NOT_SUPPORTED;
    Algorithm algorithm = {algorithm_magic, call.product->compute_type, call.product->transpose_a,
                           call.product->transpose_b, 0, {}};
    memcpy(algorithm.alignment, preferred->alignment, sizeof algorithm.alignment);
    results[0] = {};
    memcpy(&results[0].algorithm, &algorithm, sizeof algorithm);
    results[0].waves = 1;
    *found = 1;
    return 0;
}

int cublasLtMatmul(void *handle, void *product, const void *alpha, const void *a, void *a_layout, const void *b,
                   void *b_layout, const void *beta, const void *c, void *c_layout, void *d, void *d_layout,
                   const cu_algorithm *algorithm, void *, size_t, void *stream) {
    EMULATOR_LOCKED;
    if (unusable()) return NOT_INITIALIZED_STATUS;
    Call call(product, a_layout, b_layout, c_layout, d_layout);
    if (!libraries.find(handle) || !call.valid() || !alpha || !beta || !a || !b || !d) return INVALID_VALUE_STATUS;
    if (c == d && call.c->stride != call.d->stride) return INVALID_VALUE_STATUS;
    Multiplication m = {};
    memcpy(&m.alpha, alpha, sizeof m.alpha);
    memcpy(&m.beta, beta, sizeof m.beta);
    if (m.beta != 0 && !c) return INVALID_VALUE_STATUS;
    if (algorithm) {
        Algorithm chosen;
        memcpy(&chosen, algorithm, sizeof chosen);
        if (chosen.magic != algorithm_magic || chosen.compute_type != call.product->compute_type ||
            chosen.transpose_a != call.product->transpose_a || chosen.transpose_b != call.product->transpose_b)
            return NOT_SUPPORTED;
        const void *const matrices[4] = {a, b, c, d};
        const Layout *const described[4] = {call.a.get(), call.b.get(), call.c.get(), call.d.get()};
        check_alignment(chosen, matrices, described);
    }
    check_memory("A", a, *call.a);
    check_memory("B", b, *call.b);
    check_memory("D", d, *call.d);
    if (m.beta != 0) check_memory("C", c, *call.c);
    if (overlap(a, *call.a, d, *call.d) || overlap(b, *call.b, d, *call.d))
        fail("cublasLtMatmul: the result overlaps a factor");
    m.rows = call.rows();
    m.columns = call.columns();
    m.depth = call.depth();
    m.a = {(const float *)a, size_t(call.a->stride), call.product->transpose_a != 0};
    m.b = {(const float *)b, size_t(call.b->stride), call.product->transpose_b != 0};
    m.c = m.beta != 0 ? (const float *)c : nullptr;
    m.c_stride = size_t(call.c->stride);
    m.d = (float *)d;
    m.d_stride = size_t(call.d->stride);
    m.mantissa_bits = call.product->compute_type == CU_COMPUTE_TF32       ? 10
                      : call.product->compute_type == CU_COMPUTE_BFLOAT16 ? 7
                                                                          : 23;
    return enqueue(stream, [m, call] {
        counters.products++;
        Multiplication one = m;
        for (int batch = 0; batch < call.d->batches; batch++) {
            multiply(one);
            one.a.base += call.a->step, one.b.base += call.b->step, one.d += call.d->step;
            if (one.c) one.c += call.c->step;
        }
    });
}
