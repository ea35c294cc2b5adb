// How the blocks of a scan tell each other what their rows amount to: for scan.cu and scan_backward.cu.
//
// A step of the recurrence is an affine map of the state, h -> a h + b, and so is any run of steps (Blelloch 1990); where a
// sequence begins, a is zero. A block has 32 channels and a chunk of rows: each of its 8 warps has the same number of
// consecutive rows, each lane one channel, so that memory accesses are coalesced. Threads compose the maps of their rows
// and compute the state before them from
//   1. the maps of the previous warps, through shared memory;
//   2. the maps of the previous chunks of a group, through global memory: a map depends on no other chunk, so the wait for
//      one is short, and chunks before the beginning of the sequence are not looked at;
//   3. the state before the group, which the previous group publishes: one value for each group is all that is sequential.
// The order in which maps are composed depends on the shape only, so that equal inputs give equal bits (a look-back that
// uses what happens to be ready, as in Merrill & Garland 2016, does not). Blocks draw their chunks from an atomic counter
// (the ticket), so that a block waits only for blocks that are running.
//
// What a block publishes carries the number of the launch. What earlier launches left in the same memory is not taken for
// it, and nothing has to be cleared. The number is in memory, so that it is another one each time a graph is started.

/// h -> product h + sum.
struct __align__(8) affine {
    float product, sum;
};

/// First `a`, then `b`.
__device__ __forceinline__ affine then(affine a, affine b) { return {b.product * a.product, b.product * a.sum + b.sum}; }

// MARK: Published numbers

/// A number, below the number of the launch that has published it.
typedef unsigned long long link_word;
/// A map. Its words are moved by one access, and each says by itself whether it is there.
struct __align__(16) link_map {
    link_word product, sum;
};

// Relaxed accesses to the memory that all blocks see. The emulator, where one thread runs at a time, knows no PTX.
#ifdef RECBLR_EMULATOR
__device__ __forceinline__ link_word look(const link_word *place) { return *place; }
__device__ __forceinline__ link_map look(const link_map *place) { return *place; }
__device__ __forceinline__ void publish(link_word *place, link_word word) { *place = word; }
__device__ __forceinline__ void publish(link_map *place, link_map map) { *place = map; }
#else
#define GLOBAL(place) "l"(__cvta_generic_to_global(place))
__device__ __forceinline__ link_word look(const link_word *place) {
    link_word word;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(word) : GLOBAL(place));
    return word;
}
__device__ __forceinline__ link_map look(const link_map *place) {
    link_map map;
    asm volatile("ld.relaxed.gpu.global.v2.u64 {%0, %1}, [%2];" : "=l"(map.product), "=l"(map.sum) : GLOBAL(place));
    return map;
}
__device__ __forceinline__ void publish(link_word *place, link_word word) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::GLOBAL(place), "l"(word));
}
__device__ __forceinline__ void publish(link_map *place, link_map map) {
    asm volatile("st.relaxed.gpu.global.v2.u64 [%0], {%1, %2};" ::GLOBAL(place), "l"(map.product), "l"(map.sum));
}
#undef GLOBAL
#endif

__device__ __forceinline__ link_word word_of(float number, unsigned launch) {
    return (link_word)launch << 32 | __float_as_uint(number);
}
__device__ __forceinline__ bool is_there(link_word word, unsigned launch) { return word >> 32 == launch; }
__device__ __forceinline__ float number_in(link_word word) { return __uint_as_float((unsigned)word); }

/// The number at `place`, where ``look`` has read `word`; waits until it is there.
__device__ __forceinline__ float await_number(const link_word *place, link_word word, unsigned launch) {
    while (!is_there(word, launch)) {
        __nanosleep(20);
        word = look(place);
    }
    return number_in(word);
}

/// The same for a map.
__device__ __forceinline__ affine await_map(const link_map *place, link_map map, unsigned launch) {
    while (!is_there(map.product, launch) || !is_there(map.sum, launch)) {
        __nanosleep(20);
        map = look(place);
    }
    return {number_in(map.product), number_in(map.sum)};
}

// MARK: Chunks

/// The rows and the channel of a thread. A warp has `rows` rows from `first` on; `count` is `rows`, or 0 past the last channel.
struct scan_place {
    unsigned launch;
    int chunk, channel, first, rows, count;
    bool within;
};

/// Draws the next chunk, counted in the direction of the pass. Whoever draws the last one counts the launch and sets the
/// ticket to 0, except in the last launch, which ends with ``forget_launches``.
template <int ROWS> __device__ scan_place take_chunk(const cu_scan &a) {
    __shared__ link_word drawn;
    if (threadIdx.x == 0) {
        drawn = atomicAdd(a.links, 1ull);
        link_word launch = (drawn >> 32) + 1;
        if ((unsigned)drawn == gridDim.x - 1 && launch < LAST_LAUNCH) *a.links = launch << 32;
    }
    __syncthreads();
    unsigned ticket = (unsigned)drawn, slices = (a.channels + WARP - 1) / WARP;
    scan_place place;
    place.launch = (unsigned)(drawn >> 32) + 1;  // 0 is of no launch
    place.chunk = ticket / slices;
    place.channel = ticket % slices * WARP + threadIdx.x % WARP;
    place.first = (place.chunk * SCAN_WARPS + threadIdx.x / WARP) * ROWS;
    place.rows = max(0, min(ROWS, a.rows - place.first));
    place.within = place.channel < a.channels;
    place.count = place.within ? place.rows : 0;
    return place;
}

/// At the end of a block: after the last launch numbers begin again, and its last block clears what all launches have left.
__device__ __forceinline__ void forget_launches(const cu_scan &a, unsigned launch) {
    if (launch != LAST_LAUNCH) return;
    __shared__ bool is_last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) is_last = atomicAdd(a.links + 1, 1ull) == gridDim.x - 1;
    __syncthreads();
    __threadfence();
    for (long long i = threadIdx.x; is_last && i < a.link_words; i += blockDim.x) a.links[i] = 0;
}

/// The composition of the maps of chunks `first` ..< `end`; at most four are read at once, to save registers.
__device__ __forceinline__ affine compose_chunks(const link_map *maps, int channels, int first, int end, unsigned launch) {
    affine all = {1, 0};
    const link_map *next = maps + (long long)first * channels;
    for (int left = end - first; left > 0; left -= 4) {
        const link_map *place = next;
        link_map read[4];
#pragma unroll
        for (int i = 0; i < 4; i++, place += channels) read[i] = i < left ? look(place) : link_map{};
#pragma unroll
        for (int i = 0; i < 4; i++, next += channels) {
            if (i < left) all = then(all, await_map(next, read[i], launch));
        }
    }
    return all;
}

/// The state before the thread's rows, whose map is `own`, where `GROUP` chunks are a group. The sequence of the block's
/// first row begins in chunk `oldest`, as warp 0 knows. All threads of the block take part.
template <int GROUP> __device__ float state_before(const cu_scan &a, const scan_place &place, affine own, int oldest) {
    __shared__ affine maps[SCAN_WARPS][WARP];
    __shared__ int shared_oldest;
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    maps[warp][lane] = own;
    if (threadIdx.x == 0) shared_oldest = oldest;
    __syncthreads();
    affine before = {1, 0}, whole = {1, 0};
#pragma unroll
    for (int i = 0; i < SCAN_WARPS; i++) {
        if (i == warp) before = whole;
        whole = then(whole, maps[i][lane]);
    }
    if (a.chunks == 1) return before.sum;

    link_map *chunk_maps = (link_map *)(a.links + LINK_HEADER) + place.channel;
    link_word *entries = a.links + LINK_HEADER + 2ll * a.chunks * a.channels + place.channel;
    if (warp == 0 && place.within) {
        publish(chunk_maps + (long long)place.chunk * a.channels,
                {word_of(whole.product, place.launch), word_of(whole.sum, place.launch)});
    }
    int group = place.chunk / GROUP, first = group * GROUP + warp * (GROUP / SCAN_WARPS);
    int end = place.within ? min(place.chunk, first + GROUP / SCAN_WARPS) : 0;
    oldest = shared_oldest;
    // Whoever needs the entry reads it before waiting for other chunks.
    bool enters = place.within && oldest < group * GROUP;
    const link_word *entry = entries + (group - 1) * (long long)a.channels;
    link_word entry_word = enters ? look(entry) : 0;
    affine earlier = compose_chunks(chunk_maps, a.channels, max(first, oldest), end, place.launch);
    __syncthreads();
    maps[warp][lane] = earlier;
    __syncthreads();
    affine since = {1, 0};
#pragma unroll
    for (int i = 0; i < SCAN_WARPS; i++) since = then(since, maps[i][lane]);
    float state = since.sum;
    if (enters && since.product != 0.0f) state += since.product * await_number(entry, entry_word, place.launch);
    if (warp == 0 && place.within && place.chunk % GROUP == GROUP - 1) {
        publish(entries + group * (long long)a.channels, word_of(whole.product * state + whole.sum, place.launch));
    }
    return before.product * state + before.sum;
}
