// Every operation for one instruction set: the including file defines WIDTH, TABLE, ISA_NAME and
// FUSED, whether it has multiply-add instructions.
#include "CKernels.h"

#include "vector.h"

#include "dropout.h"

#include "norm.h"

#include "activation.h"

#include "convolution.h"

#include "scan.h"

#include "reduction.h"

#include "attention.h"

#include "product.h"

#include "ranking.h"

const ck_kernels TABLE = {
    .name = ISA_NAME,
    .width = WIDTH,
    .dropout_mask = dropout_mask,
    .norm = norm,
    .norm_backward = norm_backward,
    .activate = activate,
    .activate_backward = activate_backward,
    .convolve = convolve,
    .convolve_backward = convolve_backward,
    .convolve_backward_window = convolve_backward_window,
    .scan = scan,
    .scan_summary = scan_summary,
    .scan_backward = scan_backward,
    .scan_backward_summary = scan_backward_summary,
    .softmax_rows = softmax_rows,
    .exp_rows = exp_rows,
    .attend_row = attend_row,
    .attend_row_backward = attend_row_backward,
    .adam = adam,
    .squared_norm = squared_norm,
    .add = add,
    .add_scaled = add_scaled,
    .dot = dot,
    .count_at_least = count_at_least,
    .panel = PANEL,
    .pack = pack,
    .multiply = multiply,
    .rank_rows = rank_rows,
    .rank_listed = rank_listed,
};
