// What the kernels that test the emulator are told.
#ifndef SELFTEST_ARGUMENTS_H
#define SELFTEST_ARGUMENTS_H

typedef struct {
    const float *input;
    float *output;
    int count, times;
} test_floats;

typedef struct {
    const int *input;
    int *output;
    unsigned *state;
    int count;
} test_ints;

#endif
