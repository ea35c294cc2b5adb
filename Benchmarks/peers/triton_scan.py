"""The recurrence h[t] = alpha[t] * h[t - 1] + drive[t] as Triton kernels.

`scan_packed`  [T, H] as it lies in memory, for the packed formulation: tiles of rows and columns, the carries between them by
               every tile itself from what the earlier ones amount to. Two launches.
`scan_rows`    [R, T] with T a power of two, a row a program, as the paper's code has it; longer rows in levels.

Both run from the end where the gradient of h is wanted: g[t] = gradient[t] + alpha[t + 1] * g[t + 1].
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

TILE_ROWS, TILE_COLUMNS = 32, 32
LONGEST_ROW = 1024  # of one program: more would not stay in registers


@triton.jit
def _then(alpha, state, next_alpha, next_state):
    """One linear map of the state, then another."""
    return alpha * next_alpha, next_alpha * state + next_state


@triton.jit
def _tile(length, width, REVERSE: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Where the elements of this program's tile lie, and which exist."""
    step = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    row = length - 1 - step if REVERSE else step
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    return row[:, None] * width + column[None, :], (step < length)[:, None] & (column < width)[None, :]


@triton.jit
def _scanned(alpha, drive, place, inside, length, width, REVERSE: tl.constexpr):
    """What each row of a tile makes of the state before the tile."""
    if REVERSE:
        a = tl.load(alpha + place + width, mask=inside & (place + width < length * width), other=0.0)
    else:
        a = tl.load(alpha + place, mask=inside, other=0.0)
    b = tl.load(drive + place, mask=inside, other=0.0)
    return tl.associative_scan((a, b), 0, _then)


@triton.jit
def _last(tile, ROWS: tl.constexpr):
    return tl.sum(tl.where((tl.arange(0, ROWS) == ROWS - 1)[:, None], tile, 0.0), 0)


@triton.jit
def _tile_ends(
    alpha, drive, end_alpha, end_state, length, width,
    REVERSE: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):
    place, inside = _tile(length, width, REVERSE, ROWS, COLUMNS)
    a, b = _scanned(alpha, drive, place, inside, length, width, REVERSE)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    end = tl.program_id(0) * width + column
    tl.store(end_alpha + end, _last(a, ROWS), mask=column < width)
    tl.store(end_state + end, _last(b, ROWS), mask=column < width)


@triton.jit
def _tile_states(
    alpha, drive, end_alpha, end_state, states, result, alpha_gradient, length, width,
    REVERSE: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, TILES: tl.constexpr,
):
    tile = tl.arange(0, TILES)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    earlier = (tile < tl.program_id(0))[:, None] & (column < width)[None, :]
    ends = tile[:, None] * width + column[None, :]
    # Later tiles leave the state as it is.
    a = tl.load(end_alpha + ends, mask=earlier, other=1.0)
    b = tl.load(end_state + ends, mask=earlier, other=0.0)
    _, before = tl.associative_scan((a, b), 0, _then)
    entry = _last(before, TILES)

    place, inside = _tile(length, width, REVERSE, ROWS, COLUMNS)
    a, b = _scanned(alpha, drive, place, inside, length, width, REVERSE)
    value = b + a * entry[None, :]
    tl.store(result + place, value, mask=inside)
    if REVERSE:
        previous = tl.load(states + place - width, mask=inside & (place >= width), other=0.0)
        tl.store(alpha_gradient + place, value * previous, mask=inside)


def _packed(alpha: Tensor, drive: Tensor, states: Tensor | None) -> tuple[Tensor, Tensor]:
    length, width = drive.shape
    tiles = triton.cdiv(length, TILE_ROWS)
    result = torch.empty_like(drive)
    alpha_gradient = alpha if states is None else torch.empty_like(drive)  # forward, not written
    ends = drive.new_empty(2, tiles, width)
    grid = (tiles, triton.cdiv(width, TILE_COLUMNS))
    shape = {"REVERSE": states is not None, "ROWS": TILE_ROWS, "COLUMNS": TILE_COLUMNS, "num_warps": 4}
    _tile_ends[grid](alpha, drive, ends[0], ends[1], length, width, **shape)
    _tile_states[grid](
        alpha, drive, ends[0], ends[1], drive if states is None else states, result, alpha_gradient, length, width,
        TILES=triton.next_power_of_2(tiles), **shape)
    return result, alpha_gradient


class ScanPacked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, alpha: Tensor, drive: Tensor) -> Tensor:
        alpha = alpha.contiguous()
        states, _ = _packed(alpha, drive.contiguous(), None)
        ctx.save_for_backward(alpha, states)
        return states

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        alpha, states = ctx.saved_tensors
        total, alpha_gradient = _packed(alpha, gradient.contiguous(), states)
        return alpha_gradient, total


@triton.jit
def _row_states(
    alpha, drive, states, decays, length,
    SIZE: tl.constexpr, REVERSE: tl.constexpr, SHIFT: tl.constexpr, KEEP_DECAYS: tl.constexpr,
):
    """SHIFT takes alpha[t + 1] for alpha[t], within rows of `length`, of which a program has SIZE."""
    step = tl.arange(0, SIZE)
    place = tl.program_id(0) * SIZE + (SIZE - 1 - step if REVERSE else step)
    if SHIFT:
        a = tl.load(alpha + place + 1, mask=place % length + 1 < length, other=0.0)
    else:
        a = tl.load(alpha + place)
    a, b = tl.associative_scan((a, tl.load(drive + place)), 0, _then)
    tl.store(states + place, b)
    if KEEP_DECAYS:
        tl.store(decays + place, a)


def _rows(alpha: Tensor, drive: Tensor, reverse: bool, shift: bool) -> Tensor:
    rows, length = drive.shape
    size = min(length, LONGEST_ROW)
    states = torch.empty_like(drive)
    decays = alpha if size == length else torch.empty_like(drive)  # of one level, not written
    _row_states[(rows * length // size,)](
        alpha, drive, states, decays, length, SIZE=size, REVERSE=reverse, SHIFT=shift, KEEP_DECAYS=size < length,
        num_warps=max(1, min(8, size // 128)))
    if size < length:
        parts, part_decays = states.view(rows, -1, size), decays.view(rows, -1, size)
        end = 0 if reverse else -1
        carries = _rows(part_decays[..., end].contiguous(), parts[..., end].contiguous(), reverse, False).unsqueeze(-1)
        if reverse:
            parts[:, :-1].addcmul_(part_decays[:, :-1], carries[:, 1:])
        else:
            parts[:, 1:].addcmul_(part_decays[:, 1:], carries[:, :-1])
    return states


class ScanRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, alpha: Tensor, drive: Tensor) -> Tensor:
        alpha = alpha.contiguous()
        states = _rows(alpha, drive.contiguous(), reverse=False, shift=False)
        ctx.save_for_backward(alpha, states)
        return states

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        alpha, states = ctx.saved_tensors
        total = _rows(alpha, gradient.contiguous(), reverse=True, shift=True)
        before = torch.nn.functional.pad(states, (1, 0))[:, :-1]
        return total * before, total


scan_packed = ScanPacked.apply
scan_rows = ScanRows.apply
