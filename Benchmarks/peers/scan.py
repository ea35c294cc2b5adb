"""h[t] = alpha[t] * h[t - 1] + drive[t] along the first dimension, with its gradient.

Two ways with the same result; `linear_recurrence` is the one that was faster on a CPU (see README.md).
"""

from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 16


def doubling(alpha: Tensor, drive: Tensor) -> Tensor:
    """The parallel scan of Hillis & Steele: log2(T) passes over everything."""
    alpha, state = alpha.clone(), drive.clone()
    step = 1
    while step < len(state):
        state[step:] = state[step:] + alpha[step:] * state[:-step]
        alpha[step:] = alpha[step:] * alpha[:-step]
        step *= 2
    return state


def chunked(alpha: Tensor, drive: Tensor) -> Tensor:
    """All chunks at once, one time step after the other; then the carries from chunk to chunk; then both together."""
    length = len(drive)
    if length <= CHUNK:
        return doubling(alpha, drive)
    missing = -length % CHUNK
    if missing:
        rest = drive.new_zeros(missing, *drive.shape[1:])
        alpha, drive = torch.cat([alpha, rest]), torch.cat([drive, rest])
    shape = (-1, CHUNK, *drive.shape[1:])
    alpha, drive = alpha.reshape(shape), drive.reshape(shape)
    state, decay = torch.empty_like(drive), torch.empty_like(alpha)
    state[:, 0], decay[:, 0] = drive[:, 0], alpha[:, 0]
    for t in range(1, CHUNK):
        torch.addcmul(drive[:, t], alpha[:, t], state[:, t - 1], out=state[:, t])
        torch.mul(alpha[:, t], decay[:, t - 1], out=decay[:, t])
    ends = chunked(decay[:, -1], state[:, -1])
    state[1:] += decay[1:] * ends[:-1].unsqueeze(1)
    return state.reshape(-1, *shape[2:])[:length]


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx, alpha: Tensor, drive: Tensor, way: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        states = way(alpha, drive)
        ctx.save_for_backward(alpha, states)
        ctx.way = way
        return states

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        alpha, states = ctx.saved_tensors
        # The same recurrence from the end: g[t] = gradient[t] + alpha[t + 1] * g[t + 1].
        later = torch.cat([alpha[1:], torch.zeros_like(alpha[:1])]).flip(0)
        total = ctx.way(later, gradient.flip(0)).flip(0)
        before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
        return total * before, total, None


def linear_recurrence(alpha: Tensor, drive: Tensor) -> Tensor:
    return _Recurrence.apply(alpha, drive, chunked)


def linear_recurrence_by_doubling(alpha: Tensor, drive: Tensor) -> Tensor:
    return _Recurrence.apply(alpha, drive, doubling)
