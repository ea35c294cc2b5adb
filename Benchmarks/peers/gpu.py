"""Everything recblr is measured by on a GPU, beside the device's limits and PyTorch, in one table.

    python gpu.py --program recblr --bench recblr-bench --log ml-1m.sequences.txt.gz --work DIR [--output FILE] [--device cuda]

Ours comes first. PyTorch's side wants a PyTorch that knows the device, and Triton, a C compiler and Python's headers there; it is tried
piece by piece, and what fails becomes a row that says why. On a CPU it tries itself out: --device cpu --tiny.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gpu_table import FAILED, GOALS, Row, rows, text

TRAIN = ("--preset", "fast", "--seed", 1)


@dataclass
class Figures:
    """What has been measured so far, and why the rest failed."""

    recblr: dict = field(default_factory=dict)
    run: dict = field(default_factory=dict)
    peers: dict = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def measure(self, name: str, body: Callable[[], object]) -> None:
        """Calls `body`, whose failure is a row of its own: the others count all the same."""
        try:
            body()
        except Exception as error:
            self.failures[name] = reason(error)
            print(f"  {name}: {self.failures[name]}", flush=True)

    def table(self) -> list[Row]:
        return rows(self.recblr, self.peers, self.run) + [Row(name, FAILED, why) for name, why in self.failures.items()]

    def title(self) -> str:
        return (f"{self.recblr.get('device', 'recblr')}; PyTorch {self.peers.get('pytorch', 'not measured')}"
                f" on {self.peers.get('device', 'nothing')}; medians")

    def save(self, output: Path | None) -> None:
        """Prints the table and writes it with all figures."""
        print(f"\n{self.title()}\n\n{text(self.table())}\n", flush=True)
        if output:
            result = {"title": self.title(), "rows": [asdict(row) for row in self.table()], **asdict(self)}
            output.write_text(json.dumps(result, indent=2) + "\n")


def reason(error: Exception) -> str:
    """The first line of an error."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def process(*words: object, **options: object) -> str:
    """What a process writes to its standard output; its standard error is passed on, and the last line of it is the reason of a failure."""
    with tempfile.TemporaryFile("w+") as output:
        command = [str(word) for word in words]
        with subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, text=True, **options) as child:
            last = ""
            for line in child.stderr:
                sys.stderr.write(line)
                last = line.strip() or last
        if child.returncode:
            raise RuntimeError(f"{Path(command[0]).name} ended with status {child.returncode}: {last}")
        output.seek(0)
        return output.read()


def program_json(program: str, *words: object) -> dict:
    return json.loads(process(program, *words, "--json"))


def bench(figures: Figures, program: str, device: str, tiny: bool) -> None:
    """recblr-bench's figures, of the same GPU."""
    number = device.partition(":")[2] or 0
    figures.recblr = program_json(program, "gpu", "--gpu", number, *(["--tiny"] if tiny else []))


def train(program: str, work: Path, *words: object) -> dict:
    return program_json(program, "train", work / "dataset", "--model", work / "model", "--restart", *TRAIN, *words)


def training_run(figures: Figures, program: str, log: Path, work: Path, device: str) -> None:
    """A whole training on the log, timed as a process, its kernels cached by one before."""
    process(program, "prepare", log, "--output", work / "dataset")
    train(program, work, "--device", device, "--epochs", 1)
    start = time.perf_counter()
    record = train(program, work, "--device", device)
    seconds = time.perf_counter() - start
    curve = [(epoch["seconds"], epoch["validation"]["masked"]["at10"]["ndcg"]) for epoch in record["epochs"]]
    figures.run = {
        "command": " ".join(map(str, ("train", *TRAIN, "--device", device))),
        "seconds": seconds,
        "masked_ndcg": record["test"]["all"]["masked"]["at10"]["ndcg"],
        "passes_after": next((at for at, ndcg in curve if ndcg >= GOALS["ndcg"]), None),
        "losses": [epoch["loss"] for epoch in record["epochs"]],
    }
    print(f"  ML-1M: {seconds:.1f} s", flush=True)


def training_on_the_cpu(figures: Figures, program: str, work: Path) -> None:
    """The same in float32 on the CPU, for its curve."""
    record = train(program, work, "--device", "cpu", "--precision", "float32")
    figures.run["cpu_losses"] = [epoch["loss"] for epoch in record["epochs"]]


def check_compiler() -> None:
    """What Triton makes its launcher with, at the first launch."""
    headers = Path(sysconfig.get_path("include"))
    compilers = [name for name in (os.environ.get("CC"), "gcc", "clang") if name and shutil.which(name)]
    if not compilers:
        raise FileNotFoundError("no C compiler (gcc, clang)")
    if not (headers / "Python.h").exists():
        raise FileNotFoundError(f"no Python.h in {headers}")


def check_peers() -> None:
    """PyTorch's side computes what the model does."""
    process(sys.executable, "-m", "unittest", "--quiet", "test_gpu", cwd=Path(__file__).parent)


def measure_peers(figures: Figures, log: Path, device_name: str, tiny: bool) -> None:
    """PyTorch's side of what recblr-bench measured: the same shapes, precisions and numbers of tokens a step."""
    import torch  # here: where there is none, ours is measured all the same

    import gpu_peers
    from data import read_log

    device, sizes = torch.device(device_name), gpu_peers.TINY if tiny else gpu_peers.FULL
    if device.type == "cuda":
        torch.cuda.set_device(device)  # whose clock the events are
        figures.measure("what Triton compiles its launcher with", check_compiler)
    figures.measure("check of PyTorch's side (test_gpu.py)", check_peers)
    peers = figures.peers
    peers |= {"pytorch": gpu_peers.version(), "device": gpu_peers.name(device), "scans": [], "training": []}

    def copy() -> None:
        peers["copy_gigabytes_per_second"] = gpu_peers.copy_rate(device, sizes)

    figures.measure("PyTorch's copy on the device", copy)
    for shape in sizes.scans:
        def scan() -> None:
            peers["scans"] += gpu_peers.paper_scans(device, shape)

        figures.measure(f"the paper's way, gated scan {' x '.join(map(str, shape))}", scan)
    users, items = read_log(log)
    steps = [(entry["precision"], entry["tokens_a_step"]) for entry in figures.recblr.get("training", [])]
    for precision, tokens in dict.fromkeys(steps):
        rates, failures = gpu_peers.training_rates(users, items, tokens, precision, device, sizes)
        peers["training"].append({"precision": precision, "tokens_a_step": tokens, "rates": rates})
        for way, why in failures.items():
            figures.failures[f"PyTorch {way}, {precision}, {tokens:,} tokens a step"] = why


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="recblr")
    parser.add_argument("--bench", required=True, help="recblr-bench")
    parser.add_argument("--log", type=Path, required=True, help="one sequence a line, gzipped")
    parser.add_argument("--work", type=Path, required=True, help="folder for the dataset and the model")
    parser.add_argument("--output", type=Path, help="file for the results, as JSON")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes: shows that it runs, measures nothing")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)

    figures = Figures()
    figures.measure("recblr-bench gpu", lambda: bench(figures, given.bench, given.device, given.tiny))
    figures.measure(
        "training on the log", lambda: training_run(figures, given.program, given.log, given.work, given.device))
    failed = bool(figures.failures)
    figures.save(given.output)  # whatever becomes of the rest
    figures.measure("PyTorch's side", lambda: measure_peers(figures, given.log, given.device, given.tiny))
    figures.save(given.output)
    if figures.run:  # minutes in which the GPU has nothing to do: last
        figures.measure(
            "training on the log, on the CPU", lambda: training_on_the_cpu(figures, given.program, given.work))
        figures.save(given.output)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
