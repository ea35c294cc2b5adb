// The items of a history, how long ago and how often each occurred: the scores that the repeat-aware head adds to.

/// One warp for each event of a history: finds earlier occurrences of its item.
KERNEL __launch_bounds__(256) find_occurrences(const cu_occurrences a) {
    int own = blockIdx.x * 8 + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (own >= a.history_starts[a.sequences]) return;
    int item = a.histories[own], found = 0;
    int first = a.history_starts[sequence_of(a.history_starts, a.sequences, own)];
    int oldest = max(first, own + 1 - a.window);
    if (lane < 3) a.earlier[3 * own + lane] = -1;
    __syncwarp();
    for (int newest = own - 1; newest >= oldest && found < 3; newest -= WARP) {
        int place = newest - lane;  // the lowest lane has the nearest event
        unsigned same = __ballot_sync(ALL_LANES, place >= oldest && a.histories[place] == item);
        for (; same && found < 3; same &= same - 1) {
            int nearest = newest - (__ffs(same) - 1);
            if (lane == 0) a.earlier[3 * own + found] = nearest;
            if (lane == 0 && found == 0) a.next[nearest] = own;
            found++;
        }
    }
}

/// One block for each event of the batch: an item is listed at its last occurrence.
KERNEL __launch_bounds__(128) list_occurrences(const cu_occurrences a) {
    int event = blockIdx.x, first = a.bias_starts[event], capacity = a.bias_starts[event + 1] - first;
    if (capacity == 0) return;
    int sequence = sequence_of(a.starts, a.sequences, event);
    int own = a.history_starts[sequence + 1] - (a.starts[sequence + 1] - event);
    for (int i = threadIdx.x; i < capacity; i += blockDim.x) {
        int place = own - i, column = -1, kind = 0;
        if (a.next[place] > own) {
            int count = 1;
            for (int k = 0; k < 3; k++) count += a.earlier[3 * place + k] > own - capacity;
            int power = min(31 - __clz(i + 1), a.recencies - 1);
            column = a.histories[place];
            kind = power * a.counts + min(count, a.counts) - 1;
        }
        a.columns[first + i] = column;
        a.kinds[first + i] = kind;
    }
}
