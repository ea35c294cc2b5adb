"""Everything recblr is measured by on a GPU, beside the device's limits and PyTorch, in one table.

    python gpu.py --program recblr --bench recblr-bench --log ml-1m.sequences.txt.gz --work DIR [--output FILE] [--device cuda]

Wants a PyTorch that knows the device, and Triton there. On a CPU it tries itself out: --device cpu --tiny.
"""

import argparse
import json
import subprocess
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from data import read_log
from gpu_peers import FULL, TINY, Sizes, copy_rate, paper_scans, training_rates
from gpu_table import GOALS, rows, text

TRAIN = ("--preset", "fast", "--seed", 1)


def program_json(program: str, *words: object) -> dict:
    command = [str(word) for word in (program, *words, "--json")]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def peers(ours: dict, users: list[Tensor], items: int, device: torch.device, sizes: Sizes) -> dict:
    """PyTorch's side of what `ours` holds: the same precisions and numbers of tokens a step."""
    result = {
        "pytorch": torch.__version__ + ("" if find_spec("triton") else " without Triton: scans in plain passes"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "copy_gigabytes_per_second": copy_rate(device, sizes),
        "scans": paper_scans(device, sizes),
        "training": [],
    }
    for precision, tokens in dict.fromkeys((entry["precision"], entry["tokens_a_step"]) for entry in ours["training"]):
        rates, failures = training_rates(users, items, tokens, precision, device, sizes)
        result["training"].append(
            {"precision": precision, "tokens_a_step": tokens, "rates": rates, "failures": failures})
    return result


def training_run(program: str, log: Path, work: Path, device: str) -> dict:
    """A whole training on the log, timed as a process, its kernels cached by one before; beside the same on the CPU."""
    dataset, model = work / "dataset", work / "model"
    subprocess.run([program, "prepare", str(log), "--output", str(dataset)], check=True, stdout=subprocess.DEVNULL)

    def train(*words: object) -> dict:
        return program_json(program, "train", dataset, "--model", model, "--restart", *TRAIN, *words)

    train("--device", device, "--epochs", 1)
    start = time.perf_counter()
    record = train("--device", device)
    seconds = time.perf_counter() - start
    curve = [(epoch["seconds"], epoch["validation"]["masked"]["at10"]["ndcg"]) for epoch in record["epochs"]]
    print(f"  ML-1M: {seconds:.1f} s; the same in float32 on the CPU, for its curve", flush=True)
    beside = train("--device", "cpu", "--precision", "float32")
    return {
        "command": " ".join(map(str, ("train", *TRAIN, "--device", device))),
        "seconds": seconds,
        "masked_ndcg": record["test"]["all"]["masked"]["at10"]["ndcg"],
        "passes_after": next((at for at, ndcg in curve if ndcg >= GOALS["ndcg"]), None),
        "losses": [epoch["loss"] for epoch in record["epochs"]],
        "cpu_losses": [epoch["loss"] for epoch in beside["epochs"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="recblr")
    parser.add_argument("--bench", required=True, help="recblr-bench")
    parser.add_argument("--log", type=Path, required=True, help="one sequence a line, gzipped")
    parser.add_argument("--work", type=Path, required=True, help="folder for the dataset and the model")
    parser.add_argument("--output", type=Path, help="file for the results, as JSON")
    parser.add_argument("--device", type=torch.device, default="cuda", help="cuda, cuda:1, cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes: shows that it runs, measures nothing")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    if given.device.type == "cuda":
        torch.cuda.set_device(given.device)  # whose clock the events are

    ours = program_json(given.bench, "gpu")
    (given.work / "recblr.json").write_text(json.dumps(ours, indent=2) + "\n")  # should PyTorch fail later
    run = training_run(given.program, given.log, given.work, str(given.device))
    users, items = read_log(given.log)
    theirs = peers(ours, users, items, given.device, TINY if given.tiny else FULL)
    table = rows(ours, theirs, run)
    title = f"{ours['device']}; PyTorch {theirs['pytorch']} on {theirs['device']}; medians"
    print(f"\n{title}\n\n{text(table)}")
    if given.output:
        result = {"title": title, "rows": [asdict(row) for row in table], "recblr": ours, "peers": theirs, "run": run}
        given.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
