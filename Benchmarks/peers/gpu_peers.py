"""PyTorch's side of the figures on a GPU: a copy, the scan the paper's way, training steps of the packed formulation.

On a device that is no GPU, and where there is no Triton, the scans are the plain ones of scan.py.
"""

import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor

from data import even_batches
from model import RecBLR, Recurrence, gated
from scan import linear_recurrence, linear_recurrence_by_doubling


@dataclass(frozen=True)
class Sizes:
    copy: int  # floats
    scans: tuple[tuple[int, int, int], ...]  # sequences, length, channels
    seconds: float  # of training, each way
    batches: int  # that training goes round


FULL = Sizes(copy=1 << 28, scans=((2048, 200, 128), (1, 1_000_000, 128)), seconds=3, batches=64)
TINY = Sizes(copy=1 << 16, scans=((4, 20, 8), (1, 3000, 8)), seconds=0.1, batches=4)

# How torch.compile is asked; None leaves it out.
WAYS = {"eager": None, "compiled": "default", "compiled, CUDA graphs": "reduce-overhead"}
WARM_UP, BLOCK = 20, 10  # steps: before any is timed, and timed together
CALLS = 5  # of a single operation, between two events


def scans(device: torch.device) -> tuple[Recurrence, Callable[[Tensor, Tensor], Tensor]]:
    """The scan along the first dimension of [T, H], and that along the last of [R, T], T a power of two."""
    if device.type == "cuda" or os.environ.get("TRITON_INTERPRET") == "1":
        try:
            from triton_scan import scan_packed, scan_rows

            return scan_packed, scan_rows
        except ImportError:
            pass
    return linear_recurrence_by_doubling, lambda alpha, drive: linear_recurrence(alpha.T, drive.T).T


def version() -> str:
    return torch.__version__ + ("" if find_spec("triton") else " without Triton: scans in plain passes")


def name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_seconds(body: Callable[[], object], device: torch.device, repeats: int = 20) -> float:
    """Of one call, by the device's own clock, after three calls that do not count; as GPUBench.swift takes its times.

    Several calls lie between two events, and before the first event one more, of which the device is busy while those are queued:
    the time that the host takes to start something does not count.
    """
    for _ in range(3):
        body()
    if device.type != "cuda":
        return statistics.median(timed(body) for _ in range(repeats))
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        body()
        start.record()
        for _ in range(CALLS):
            body()
        end.record()
        synchronize(device)
        times.append(start.elapsed_time(end) / 1e3 / CALLS)
    return statistics.median(times)


def timed(body: Callable[[], object]) -> float:
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def copy_rate(device: torch.device, sizes: Sizes) -> float:
    """GB/s of a copy on the device, bytes read and bytes written."""
    source = torch.rand(sizes.copy, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / median_seconds(lambda: target.copy_(source), device) / 1e9


def paper_scan(gates: Tensor, decay: Tensor, c: Tensor, z: Tensor, scan_rows: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The gated scan as the paper's code has it: operation by operation, [B, T, H] to [B, H, T] for the scan and back.

    T is a power of two already: the paper pads before the convolution, so all that follows works on padding too.
    """
    alpha, drive = gated(gates, decay, c)
    batch, length, channels = c.shape
    rows = (part.mT.reshape(batch * channels, length) for part in (alpha, drive))
    return scan_rows(*rows).view(batch, channels, length).mT * F.silu(z)


def paper_scans(device: torch.device, shape: tuple[int, int, int]) -> list[dict]:
    """Seconds of the paper's way at a shape, forward and backward."""
    batch, length, channels = shape
    padded = 1 << (length - 1).bit_length()
    shapes = [(batch, padded, 2 * channels), (channels,), (batch, padded, channels), (batch, padded, channels)]
    inputs = [torch.randn(shape, device=device, requires_grad=True) for shape in shapes]
    _, scan_rows = scans(device)
    output = paper_scan(*inputs, scan_rows)
    gradient = torch.randn_like(output)
    bodies = {
        "forward": lambda: paper_scan(*inputs, scan_rows),
        "backward": lambda: torch.autograd.grad(output, inputs, gradient, retain_graph=True),
    }
    results = []
    for direction, body in bodies.items():
        seconds = median_seconds(body, device)
        results.append({"shape": f"{batch} x {length} x {channels}", "direction": direction, "seconds": seconds})
        print(f"  paper's way, {results[-1]['shape']} {direction}: {1e3 * seconds:,.3f} ms", flush=True)
    return results


def training_rates(
    users: list[Tensor], items: int, tokens: int, precision: str, device: torch.device, sizes: Sizes
) -> tuple[dict[str, float], dict[str, str]]:
    """Events a second of whole training steps, each way, on batches that lie on the device; and the ways that failed."""
    batches = [
        tuple(part.to(device) for part in batch)
        for batch in itertools.islice(even_batches(users, tokens), sizes.batches)
    ]
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    rates, failures = {}, {}
    for way, mode in WAYS.items():
        try:
            rates[way] = tokens * steps_per_second(mode, batches, items, precision, device, sizes)
            print(f"  {way}, {precision}, {tokens:,} tokens a step: {rates[way]:,.0f} events/s", flush=True)
        except Exception as error:  # a compiler may not manage on this machine: that is told, the others count
            failures[way] = f"{type(error).__name__}: {error}".splitlines()[0]
            print(f"  {way}, {precision}, {tokens:,} tokens a step: {failures[way]}", flush=True)
    return rates, failures


def steps_per_second(
    mode: str | None, batches: list[tuple[Tensor, ...]], items: int, precision: str, device: torch.device, sizes: Sizes
) -> float:
    torch.manual_seed(1)
    torch.compiler.reset()
    packed, _ = scans(device)
    model = RecBLR(items, recurrence=packed).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss = model.packed_loss if mode is None else torch.compile(model.packed_loss, mode=mode)
    turn = itertools.cycle(batches)

    def step() -> None:
        if mode is not None:
            torch.compiler.cudagraph_mark_step_begin()
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            value = loss(*next(turn))
        value.backward()
        optimizer.step()

    def block() -> None:
        for _ in range(BLOCK):
            step()
        synchronize(device)

    for _ in range(WARM_UP):
        step()
    synchronize(device)
    times: list[float] = []
    while sum(times) < sizes.seconds or len(times) < 3:
        times.append(timed(block))
    return BLOCK / statistics.median(times)
