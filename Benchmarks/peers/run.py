"""Times recblr and the two PyTorch formulations in turn on the same log, machine and number of threads.

    python run.py --program recblr --log ml-1m.sequences.txt.gz --work DIR [--output FILE] [--threads 2] [--rounds 3]
"""

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from data import Batch, packed_batches, padded_batches, read_log
from model import RecBLR

STEPS = (4096, 1024)  # tokens a step
SAMPLES = (128, 512)  # padded samples a step: the faster one counts; the paper's 2,048 want more memory than a laptop has
WARM_UP = 2  # steps


@dataclass
class System:
    """One row of the table: what it measured round by round, and whom of recblr it is compared with."""

    name: str
    unit: str
    beside: str
    rates: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def torch_rate(
    loss: Callable[..., Tensor], optimizer: torch.optim.Optimizer, batches: Iterator[Batch], seconds: float
) -> float:
    """Rows of batches (events, or samples) a second over whole training steps."""
    done, start = 0, 0.0
    for step, batch in enumerate(batches):
        if step == WARM_UP:
            done, start = 0, time.perf_counter()
        optimizer.zero_grad()
        loss(*batch).backward()
        optimizer.step()
        done += len(batch[0])
        if step > WARM_UP and time.perf_counter() - start > seconds:
            return done / (time.perf_counter() - start)
    raise AssertionError("batches never end")


def recblr_rate(given: argparse.Namespace, dataset: Path, tokens: int, precision: str) -> float:
    """Events a second of one epoch of the paper's model, as the program reports it."""
    command = [given.program, "train", dataset, "--model", given.work / "model", "--restart", "--epochs", "1", "--json"]
    command += ["--batch-tokens", tokens, "--precision", precision, "--threads", given.threads]
    command += ["--no-repeat-aware", "--dropout", "0.2"]
    record = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
    return record["epochs"][0]["tokensPerSecond"]


def measure(given: argparse.Namespace, dataset: Path, users: list[Tensor], items: int) -> list[System]:
    """Every system in turn, `rounds` times: the machine's speed drifts, and drifts for all."""
    model = RecBLR(items)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    systems: dict[str, System] = {}

    def add(name: str, unit: str, beside: str, rate: float) -> None:
        systems.setdefault(name, System(name, unit, beside)).rates.append(rate)
        print(f"  {name}: {rate:,.0f} {unit}/s", flush=True)

    for _ in range(given.rounds):
        for tokens in STEPS:
            ours = f"recblr float32, {tokens:,} tokens a step"
            for precision in precisions():
                rate = recblr_rate(given, dataset, tokens, precision)
                add(f"recblr {precision}, {tokens:,} tokens a step", "events", ours, rate)
            rate = torch_rate(model.packed_loss, optimizer, packed_batches(users, tokens), 8)
            add(f"PyTorch packed, {tokens:,} tokens a step", "events", ours, rate)
        for samples in SAMPLES:
            rate = torch_rate(model.padded_loss, optimizer, padded_batches(users, samples), 12)
            add(f"PyTorch padded, {samples} samples a step", "samples", f"recblr float32, {STEPS[-1]:,} tokens a step", rate)
    return list(systems.values())


def precisions() -> list[str]:
    """float32, and bfloat16 on processors that have its products (Linux tells; recblr would refuse it elsewhere)."""
    flags = Path("/proc/cpuinfo")
    return ["float32", "bfloat16"] if flags.exists() and "avx512_bf16" in flags.read_text() else ["float32"]


@dataclass(frozen=True)
class Row:
    """A system's medians; an epoch is one prediction for each event, which the padded form makes a sample of its own."""

    name: str
    unit: str
    rate: float
    epoch_seconds: float
    beside: str
    times_as_long: float  # as what it stands beside: median of the rounds' ratios
    rates: list[float]


def summary(systems: list[System], predictions: int) -> list[Row]:
    by_name = {system.name: system for system in systems}

    def row(own: System) -> Row:
        ratios = [ours / theirs for ours, theirs in zip(by_name[own.beside].rates, own.rates)]
        return Row(own.name, own.unit, own.rate, predictions / own.rate, own.beside, statistics.median(ratios), own.rates)

    return [row(system) for system in systems]


def table(rows: list[Row]) -> str:
    width = max(len(row.name) for row in rows)
    lines = [f"{'':{width}}  {'a second':>16}  {'epoch':>11}  times as long as recblr float32"]
    for row in rows:
        rate = f"{row.rate:,.0f} {row.unit}"
        tokens = row.beside.removeprefix("recblr float32, ")
        lines.append(
            f"{row.name:{width}}  {rate:>16}  {row.epoch_seconds:>9,.1f} s  {row.times_as_long:>7,.2f} x, {tokens}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="recblr")
    parser.add_argument("--log", type=Path, required=True, help="one sequence a line, gzipped")
    parser.add_argument("--work", type=Path, required=True, help="folder for the dataset and the models")
    parser.add_argument("--output", type=Path, help="file for the results, as JSON")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(given.threads)
    given.work.mkdir(parents=True, exist_ok=True)
    dataset = given.work / "dataset"
    command = [given.program, "prepare", given.log, "--output", dataset, "--min-user-events", 1, "--min-item-events", 1]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    users, items = read_log(given.log)
    predictions = sum(len(user) - 1 for user in users)
    rows = summary(measure(given, dataset, users, items), predictions)
    title = f"PyTorch {torch.__version__}, {given.threads} threads, medians of {given.rounds} rounds"
    print(f"\n{title}; an epoch is {predictions:,} predictions over {items:,} items\n\n{table(rows)}")
    if given.output:
        result = {"title": title, "predictions": predictions, "items": items, "systems": [asdict(row) for row in rows]}
        given.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
