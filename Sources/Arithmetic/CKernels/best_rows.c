// The best rows of a query: a binary heap whose root is the worst, so that a better row replaces it.
#include "CKernels.h"

#include <math.h>

// Lower scores are worse, and of equal ones the higher row.
static bool is_worse(ck_scored_row a, ck_scored_row b) {
    return a.score < b.score || (a.score == b.score && a.row > b.row);
}

// Puts `row` in the place of the root of a heap of `count`.
static void sift_down(ck_scored_row *heap, ptrdiff_t count, ck_scored_row row) {
    ptrdiff_t i = 0;
    for (ptrdiff_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && is_worse(heap[child + 1], heap[child])) child++;
        if (!is_worse(heap[child], row)) break;
        heap[i] = heap[child];
    }
    heap[i] = row;
}

void ck_start(ck_query *q, ck_scored_row *heap, ptrdiff_t capacity, const uint64_t *candidates) {
    *q = (ck_query){.candidates = candidates, .heap = heap, .capacity = capacity};
    q->bound = capacity > 0 ? -INFINITY : INFINITY;
}

void ck_offer(ck_query *q, int32_t row, float score) {
    const ck_scored_row own = {row, score};
    if (q->capacity == 0 || !(score > -INFINITY)) return;
    if (q->count < q->capacity) {
        ptrdiff_t i = q->count++;
        for (; i > 0 && is_worse(own, q->heap[(i - 1) / 2]); i = (i - 1) / 2) q->heap[i] = q->heap[(i - 1) / 2];
        q->heap[i] = own;
    } else if (is_worse(q->heap[0], own)) {
        sift_down(q->heap, q->count, own);
    }
    if (q->count == q->capacity) q->bound = q->heap[0].score;
}

void ck_sort(ck_query *q) {
    for (ptrdiff_t last = q->count - 1; last > 0; last--) {
        const ck_scored_row worst = q->heap[0], moved = q->heap[last];
        sift_down(q->heap, last, moved);
        q->heap[last] = worst;
    }
}
