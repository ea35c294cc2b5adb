// Filling, copying, adding; sums; table rows.

#define FOR_EACH_ELEMENT(matrix, row, column)                                                                          \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, total = (long long)matrix.rows * matrix.columns; \
         i < total; i += (long long)gridDim.x * blockDim.x)                                                            \
        if (int row = (int)(i / matrix.columns), column = (int)(i % matrix.columns); true)

KERNEL fill_elements(const cu_elements a) {
    FOR_EACH_ELEMENT(a.target, r, c) a.target.base[r * a.target.stride + c] = a.value;
}

KERNEL clear_negatives(const cu_elements a) {
    FOR_EACH_ELEMENT(a.target, r, c) {
        float *element = a.target.base + r * a.target.stride + c;
        if (*element < 0) *element = 0;
    }
}

KERNEL copy_elements(const cu_elements a) {
    FOR_EACH_ELEMENT(a.target, r, c)
    a.target.base[r * a.target.stride + c] = a.source.base[r * a.source.stride + c];
}

KERNEL add_elements(const cu_elements a) {
    FOR_EACH_ELEMENT(a.target, r, c)
    a.target.base[r * a.target.stride + c] += a.source.base[r * a.source.stride + c];
}

KERNEL __launch_bounds__(256) sum_squares(const cu_squares a) {
    double sum = 0;
    FOR_EACH_ELEMENT(a.source, r, c) {
        double x = a.source.base[r * a.source.stride + c];
        sum += x * x;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) a.parts[blockIdx.x] = sum;
}

/// Launched with one block.
KERNEL __launch_bounds__(256) sum_numbers(const cu_sum a) {
    double sum = 0;
    for (int i = threadIdx.x; i < a.count; i += blockDim.x) sum += a.floats ? (double)a.floats[i] : a.doubles[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *a.sum = (a.accumulate ? *a.sum : 0.0) + sum;
}

/// One warp for each row.
KERNEL __launch_bounds__(256) gather_rows(const cu_gather a) {
    int n = blockIdx.x * 8 + threadIdx.x / WARP;
    if (n >= a.output.rows) return;
    const float *source = a.table.base + a.rows[n] * a.table.stride;
    float *target = a.output.base + n * a.output.stride;
    for (int c = threadIdx.x % WARP; c < a.output.columns; c += WARP) target[c] = source[c];
}

#define SCATTER_COLUMNS 4

/// Every 32nd number of a row, up to four of the `left` from the first on, in registers: additions to them do not wait for memory.
struct row_sums {
    float sums[SCATTER_COLUMNS];
    int left;

    __device__ __forceinline__ row_sums(const float *row, int left) : left(left) {
#pragma unroll
        for (int k = 0; k < SCATTER_COLUMNS; k++) sums[k] = WARP * k < left ? row[WARP * k] : 0.0f;
    }
    __device__ __forceinline__ void add(const float *row) {
#pragma unroll
        for (int k = 0; k < SCATTER_COLUMNS; k++) {
            if (WARP * k < left) sums[k] += row[WARP * k];
        }
    }
    __device__ __forceinline__ void write(float *row) const {
#pragma unroll
        for (int k = 0; k < SCATTER_COLUMNS; k++) {
            if (WARP * k < left) row[WARP * k] = sums[k];
        }
    }
};

/// Adds columns `column`, `column` + 32, … of those rows from `own` on that go to table row `row`.
__device__ __forceinline__ void add_same_rows(const cu_scatter &a, int row, int own, int column) {
    const int *rows = a.rows + a.first;
    float *target = a.table.base + row * a.table.stride + column;
    row_sums sums(target, a.table.columns - column);
    int n = own / WARP * WARP + threadIdx.x % WARP, next = n >= own && n < a.count ? rows[n] : -1;
    for (int begin = own / WARP * WARP; begin < a.count; begin += WARP) {
        unsigned same = __ballot_sync(ALL_LANES, next == row);
        n += WARP;
        next = n < a.count ? rows[n] : -1;  // read ahead, while the previous ones are added
        for (; same; same &= same - 1) {
            sums.add(a.gradient.base + (a.first + begin + __ffs(same) - 1) * a.gradient.stride + column);
        }
    }
    sums.write(target);
}

/// One warp for each row. The warp of the first row of each table row adds all of them in order: no two warps write the same table
/// row, and sums do not depend on the order of warps. Rows with a negative number are skipped.
KERNEL __launch_bounds__(256) scatter_rows(const cu_scatter a) {
    int lane = threadIdx.x % WARP;
    int own = blockIdx.x * 8 + threadIdx.x / WARP;
    if (own >= a.count) return;
    const int *rows = a.rows + a.first;
    int row = rows[own];
    if (row < 0) return;
    bool is_repeated = false;
    for (int n = lane; n < own; n += WARP) is_repeated |= rows[n] == row;
    if (__any_sync(ALL_LANES, is_repeated)) return;
    for (int first = 0; first < a.table.columns; first += SCATTER_COLUMNS * WARP) add_same_rows(a, row, own, first + lane);
}

/// Adds sums over the parts of several operations to vectors. A block has 32 columns and a group of parts, which its warps divide.
KERNEL __launch_bounds__(256) add_column_sums(const __grid_constant__ cu_sum_list list) {
    __shared__ float partial_sums[8][WARP];
    int own = 0;
    while (own + 1 < list.count && list.all[own + 1].first_block <= (int)blockIdx.x) own++;
    const cu_column_sums &a = list.all[own];
    int column = (blockIdx.x - a.first_block) * WARP + threadIdx.x % WARP, warp = threadIdx.x / WARP;
    int first = blockIdx.y * a.parts_per_group, end = min(first + a.parts_per_group, a.part_count);
    float sum = 0;
    if (column < a.columns) {
        for (int part = first + warp; part < end; part += 8) sum += a.parts[(long long)part * a.columns + column];
    }
    partial_sums[warp][threadIdx.x % WARP] = sum;
    __syncthreads();
    if (warp > 0 || column >= a.columns) return;
    for (int i = 1; i < 8; i++) sum += partial_sums[i][threadIdx.x];
    if (a.sums) {
        a.sums[blockIdx.y * (long long)a.columns + column] = sum;
        return;
    }
    for (int i = 0; i < 3; i++) {
        cu_sum_target target = a.targets[i];
        int place = column - target.first;
        if (target.base && place >= 0 && place < target.count) target.base[place] += sum;
    }
}

// MARK: Optimiser

/// The numbers of a step whose gradient is clipped.
__device__ __forceinline__ cu_adam_step clipped_step(const cu_adam &a) {
    cu_adam_step step = *a.step;
    if (a.squares) {
        float norm = (float)sqrt(*a.squares);
        if (norm > a.largest_norm) step.gradient_scale *= a.largest_norm / norm;
    }
    return step;
}

/// Adam (Kingma & Ba 2015) after decoupled weight decay, for one weight.
__device__ __forceinline__ void update_weight(const cu_adam &a, const cu_adam_step &step, int e) {
    float g = a.gradient[e] * step.gradient_scale;
    float first = step.beta1 * a.first_moment[e] + (1 - step.beta1) * g;
    float second = step.beta2 * a.second_moment[e] + (1 - step.beta2) * g * g;
    float denominator = sqrtf(second / step.correction2) + step.epsilon;
    float decay_factor = e < a.decayed ? step.decay_factor : 1;
    a.weights[e] = decay_factor * a.weights[e] - step.learning_rate * (first / step.correction1) / denominator;
    a.first_moment[e] = first;
    a.second_moment[e] = second;
    if (a.clears) a.gradient[e] = 0;
}

/// Over ranges of the weights.
KERNEL __launch_bounds__(256) adam(const cu_adam a) {
    cu_adam_step step = clipped_step(a);
    int total = a.positions[a.ranges];
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < total; i += gridDim.x * blockDim.x) {
        int range = sequence_of(a.positions, a.ranges, i);
        update_weight(a, step, a.first[range] + i - a.positions[range]);
    }
}

/// Over marked rows: a warp looks at 32 of them.
KERNEL __launch_bounds__(256) adam_rows(const cu_adam_rows a) {
    int lane = threadIdx.x % WARP, begin = (blockIdx.x * 8 + threadIdx.x / WARP) * WARP, row = begin + lane;
    bool is_marked = row < a.rows && a.marks[row];
    unsigned marked = __ballot_sync(ALL_LANES, is_marked);
    if (is_marked) a.marks[row] = 0;
    if (!marked) return;
    cu_adam_step step = clipped_step(a.adam);
    for (; marked; marked &= marked - 1) {
        int first = a.first + (begin + __ffs(marked) - 1) * a.width;
        for (int c = lane; c < a.width; c += WARP) update_weight(a.adam, step, first + c);
    }
}
