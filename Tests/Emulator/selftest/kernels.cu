// Kernels that test the emulator: the right ones by their results, the wrong ones by how they end.

#define TEST extern "C" __global__ void

// MARK: Right

/// output[block] = sum of the block's share of the input.
TEST __launch_bounds__(256) sum_of_blocks(const test_floats a) {
    __shared__ float parts[8];
    float sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < a.count; i += gridDim.x * blockDim.x) sum += a.input[i];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xFFFFFFFFu, sum, step);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x >= 32) return;
    sum = threadIdx.x < 8 ? parts[threadIdx.x] : 0.0f;
    for (int step = 4; step > 0; step /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, step);
    if (threadIdx.x == 0) a.output[blockIdx.x] = sum;
}

/// Eight answers of each lane of one warp.
TEST warp_answers(const test_ints a) {
    int lane = threadIdx.x, *output = a.output + 8 * lane;
    output[0] = __shfl_sync(0xFFFFFFFFu, lane, 5);
    output[1] = __shfl_up_sync(0xFFFFFFFFu, lane, 2u, 8);
    output[2] = __shfl_down_sync(0xFFFFFFFFu, lane, 3u, 16);
    output[3] = (int)__shfl_xor_sync(0xFFFFFFFFu, (double)lane, 7);
    output[4] = (int)__ballot_sync(0xFFFFFFFFu, lane % 3 == 0);
    output[5] = __any_sync(0xFFFFFFFFu, lane == 31);
    output[6] = __all_sync(0xFFFFFFFFu, lane < 31);
    if (lane < 16) {  // halves of a warp by themselves
        output[7] = __shfl_sync(0x0000FFFFu, lane, 15);
    } else {
        output[7] = __shfl_sync(0xFFFF0000u, lane, 16);
    }
}

/// Threads from `count` on end before the barriers of the others. output: any, count, and thread 0's lane partner.
TEST early_ends(const test_ints a) {
    int i = threadIdx.x;
    if (i >= a.count) return;
    int any = __syncthreads_or(i == a.count - 1), odd = __syncthreads_count(i % 2);
    __syncwarp();
    if (i == 0) {
        a.output[0] = any;
        a.output[1] = odd;
    }
}

/// Each block's numbers in reverse order.
TEST __launch_bounds__(64, 2) reversed(const test_ints a) {
    DYNAMIC_SHARED(int, numbers);
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (threadIdx.x == 0) a.state[blockIdx.x] = (unsigned)numbers[blockDim.x - 1];  // what it was before
    __syncthreads();
    numbers[threadIdx.x] = a.input[i];
    __syncthreads();
    a.output[i] = numbers[blockDim.x - 1 - threadIdx.x];
}

/// output[v % 16] counts; state[0] is the largest number.
TEST counts(const test_ints a) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.count) return;
    atomicAdd(&a.output[a.input[i] % 16], 1);
    atomicMax((int *)a.state, a.input[i]);
}

/// Sums of all numbers up to each, by blocks that take tickets and wait for the sum of the block before.
TEST chained_sums(const test_ints a) {
    __shared__ int ticket, before, all[256];
    if (threadIdx.x == 0) ticket = (int)atomicAdd(a.state, 1u);
    __syncthreads();
    int i = ticket * 256 + threadIdx.x;
    all[threadIdx.x] = i < a.count ? a.input[i] : 0;
    for (int step = 1; step < 256; step *= 2) {
        __syncthreads();
        int other = (int)threadIdx.x >= step ? all[threadIdx.x - step] : 0;
        __syncthreads();
        all[threadIdx.x] += other;
    }
    __syncthreads();
    volatile unsigned *sums = a.state + 1;  // a sum and 1, or 0 as long as it isn't there
    if (threadIdx.x == 0) {
        unsigned known = 1;
        if (ticket > 0)
            while (!(known = sums[ticket - 1])) __nanosleep(20);
        before = (int)known - 1;
        __threadfence();
        sums[ticket] = known + (unsigned)all[255];
    }
    __syncthreads();
    if (i < a.count) a.output[i] = before + all[threadIdx.x];
}

/// Thread 0 waits for what the last thread of the block writes.
TEST waits_for_memory(const test_ints a) {
    volatile int *flag = a.output;
    if (threadIdx.x == 0) {
        while (*flag != 7) __nanosleep(20);
        a.output[1] = 1;
    } else if (threadIdx.x == blockDim.x - 1) {
        *flag = 7;
    }
}

/// output[i] = input[i] + 1.
TEST add_one(const test_floats a) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < a.count) a.output[i] = a.input[i] + 1.0f;
}

/// Six results of each input: two quotients by it, and functions of it.
TEST approximations(const test_floats a) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.count) return;
    float x = a.input[i], *output = a.output + 6 * i;
    output[0] = 1.0f / x;
    output[1] = 5.0f / x;
    output[2] = __fdiv_rn(5.0f, x);
    output[3] = sqrtf(x);
    output[4] = rsqrtf(x);
    output[5] = exp2f(x);
}

/// Each thread's global number in a grid and blocks of three dimensions.
TEST numbers_of_threads(const test_ints a) {
    int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    a.output[block * (int)(blockDim.x * blockDim.y * blockDim.z) + thread] = 1000 * block + thread;
}

TEST barriers(const test_floats a) {
    for (int i = 0; i < a.times; i++) __syncthreads();
}

TEST shuffles(const test_floats a) {
    float x = 1.0f;
    for (int i = 0; i < a.times; i++) x = __shfl_xor_sync(0xFFFFFFFFu, x, 1);
    if (a.output) a.output[threadIdx.x] = x;
}

// MARK: Wrong

/// output[i] = the number of the thread after, or -1 or what was there before, depending on who comes first.
TEST missing_barrier(const test_ints a) {
    __shared__ int numbers[64];
    numbers[threadIdx.x] = threadIdx.x;
    a.output[threadIdx.x] = numbers[(threadIdx.x + 1) % 64];
}

TEST writes_behind(const test_ints a) { a.output[a.count] = 1; }

TEST writes_outside_of_shared(const test_ints a) {
    __shared__ int numbers[4];
    numbers[a.count] = 1;
    a.output[0] = numbers[0];
}

TEST reads_misaligned(const test_floats a) { a.output[0] = ((const float4 *)(a.input + a.count))->x; }

TEST divergent_barrier(const test_ints a) {
    if ((int)threadIdx.x < a.count)
        __syncthreads();
    else
        __syncthreads();
}

TEST lane_never_comes(const test_ints a) {
    if ((int)threadIdx.x == a.count)
        __syncthreads();
    else
        __syncwarp();
}

TEST shuffles_from_ended(const test_ints a) {
    if ((int)threadIdx.x >= a.count) return;
    a.output[0] = __shfl_down_sync(0xFFFFFFFFu, 1, 1u);
}

TEST not_in_mask(const test_ints a) { a.output[0] = __shfl_sync(1u, 1, 0); }

TEST waits_forever(const test_ints a) {
    while (*(volatile int *)a.output != 7) __nanosleep(20);
}
