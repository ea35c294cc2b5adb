#pragma once

#include <stddef.h>

/// ZSTD_inBuffer and ZSTD_outBuffer of zstd.h, which are the same since version 1.0.
struct zstd_input {
    const void *bytes;
    size_t size;
    /// How many were used.
    size_t position;
};
struct zstd_output {
    void *bytes;
    size_t size;
    /// How many were written.
    size_t position;
};

/// bz_stream of bzlib.h, which is the same since version 1.0.
struct bzip2_stream {
    const char *next_in;
    unsigned int avail_in, total_in_lo32, total_in_hi32;
    char *next_out;
    unsigned int avail_out, total_out_lo32, total_out_hi32;
    void *state;
    void *(*allocate)(void *, int, int);
    void (*deallocate)(void *, void *);
    void *opaque;
};
