"""recblr beside RecBole 1.2.1 on the same events, split and cases.

    python compare.py --program recblr --log ml-100k.inter --work DIR [--output FILE] [--models SASRec,NARM] [--minutes 30]

What is done is kept in DIR, a file a model, and not done again for the same events (and program, where it is ours). A model that did
not finish begins anew when it is given more minutes.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import recbole
import torch

import yardstick
from cases import Events
from ours import Program
from recbole_side import SETTINGS, Split, Trained, configuration, judge, train

MODELS = "GRU4Rec,SASRec,BERT4Rec,NARM,Caser,FPMC"
METRICS = ("hit@10", "ndcg@10", "mrr@10")


@dataclass(frozen=True)
class Run:
    """What all models have in common."""

    program: Program
    events: Events
    work: Path
    length: int
    minutes: float
    seed: int

    def split(self, model: str | type, **settings: object) -> Split:
        return Split(configuration(model, self.work / "events", self.length, self.seed, **settings), self.events)

    def kept(self, name: str, make: Callable[[], dict], of: dict, enough: Callable[[dict], bool] = lambda result: True) -> dict:
        """The result of that name, made where there is none of the same or where it is not enough."""
        of = {"events": self.events.digest, "length": self.length, "seed": self.seed} | of
        file = self.work / f"{name.replace(' ', '')}.json"
        if file.exists():
            there = json.loads(file.read_text())
            if there["of"] == of and enough(there["result"]):
                return there["result"]
        print(f"\n{name}", flush=True)
        result = make()
        scratch = file.with_suffix(".tmp")
        scratch.write_text(json.dumps({"of": of, "result": result}, indent=2) + "\n")
        scratch.replace(file)
        return result

    def kept_of_ours(self, name: str, make: Callable[[], dict], **of: object) -> dict:
        return self.kept(name, make, {"program": self.program.digest, "threads": self.program.threads} | of)


def versions() -> dict[str, object]:
    """What else RecBole's results depend on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {"recbole": recbole.__version__, "torch": torch.__version__, "device": device, "threads": torch.get_num_threads()}


def theirs(run: Run, name: str) -> dict:
    """A model of RecBole; where it fails, a row that says why, which is not kept."""
    def make() -> dict:
        return asdict(train(name, run.split(name), run.minutes, tell)) | {"minutes": run.minutes}

    try:
        return run.kept(name, make, versions(), lambda result: result["finished"] or result["minutes"] >= run.minutes)
    except Exception as error:  # whatever RecBole or PyTorch may throw: the other models are worth their table
        traceback.print_exc()
        return {"model": name, "failed": f"{type(error).__name__}: {error}"}


def ours(run: Run, length: int | None, *options: object) -> dict:
    """recblr with these options, by its own evaluation and by RecBole's evaluator from its scores. Reads the last `length` events."""
    name = " ".join(["recblr", *map(str, options)])

    def make() -> dict:
        model = run.work / name.replace(" ", "")
        record = run.program.train(model, "--restart", "--seed", run.seed, *options)
        own = run.program.evaluate(model, *(["--max-length", length] if length else []))
        scores = run.program.scores(model, list(run.events.test()), run.events, length)
        epochs = record["epochs"]
        trained = Trained(name, own, len(epochs), record["bestEpoch"], epochs[-1]["seconds"], True, record["options"])
        return asdict(trained) | {"byRecBole": judge(run.split("SASRec"), scores)}

    return run.kept_of_ours(name, make)


def tell(line: str) -> None:
    print(line, flush=True)


def difference(row: dict) -> float:
    """The largest between our evaluation and RecBole's of the same scores."""
    return max(abs(row["test"][setting][name] - row["byRecBole"][setting][name]) for setting in SETTINGS for name in METRICS)


def table(rows: list[dict]) -> str:
    columns = [f"{name}{setting}" for setting in ("", ", masked") for name in ("HR@10", "NDCG@10", "MRR@10")]
    lines = [["", *columns, "best epoch", "seconds"], ["---"] + ["---:"] * 8]
    for row in rows:
        if "failed" in row:
            lines.append([row["model"], *["–"] * 6, "failed, see above", "–"])
            continue
        numbers = [f"{row['test'][setting][name]:.4f}" for setting in SETTINGS for name in METRICS]
        epochs = f"{row['best_epoch']} of {row['epochs']}" + ("" if row["finished"] else ", not finished")
        lines.append([row["model"], *numbers, epochs, f"{row['seconds']:,.0f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compare(run: Run, models: list[str]) -> dict:
    """The table of all of them."""
    mine = [ours(run, None), ours(run, run.length, "--no-repeat-aware", "--max-length", run.length)]
    rows = mine + [theirs(run, name) for name in models]
    largest = max(map(difference, mine))
    print(f"\n{table(rows)}\n\nRecBole's evaluator and ours on our scores: {largest:.1e} apart at most")
    return {"rows": rows, "largestDifference": largest}


def beside_the_yardstick(run: Run) -> dict:
    """The paper's model by RecBole's trainer and by ours, an epoch a line."""
    def show(epochs: yardstick.Epochs) -> None:
        tell(json.dumps(epochs[-1]))

    split = run.split(yardstick.RecBLR, **yardstick.SETTINGS)
    recbole = run.kept(
        "RecBLR by RecBole", lambda: {"epochs": yardstick.recbole_epochs(split, run.minutes, show), "minutes": run.minutes}, versions(),
        lambda result: result["minutes"] >= run.minutes)["epochs"]
    own = run.kept_of_ours("RecBLR by recblr", lambda: {
        "epochs": yardstick.our_epochs(run.program, run.work, split, len(recbole), show)}, epochs=len(recbole))["epochs"]
    print(f"\n{yardstick.table(recbole, own)}")
    return {"recbole": recbole, "recblr": own}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, required=True, help="recblr")
    parser.add_argument("--log", type=Path, required=True, help="anything that recblr prepare reads")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is kept")
    parser.add_argument("--output", type=Path, help="file for the results, as JSON, beside those of other logs")
    parser.add_argument("--models", default=MODELS, help="of RecBole; RecBLR is the paper's model, trained by both")
    parser.add_argument("--minutes", type=float, default=30, help="for a model of RecBole")
    parser.add_argument("--length", type=int, default=50, help="last events that a model reads")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    models = given.models.replace(",", " ").split()
    work = given.work.resolve() / given.log.name.split(".")[0]
    output = given.output and given.output.resolve()
    program = Program(given.program.resolve(), work / "dataset", torch.get_num_threads())
    work.mkdir(parents=True, exist_ok=True)
    program.prepare(given.log.resolve())
    os.chdir(work)  # where RecBole leaves its logs
    events = Events.read(program.dataset)
    events.write_atomic(work / "events")
    run = Run(program, events, work, given.length, given.minutes, given.seed)
    found = {"threads": program.threads, "length": given.length, "seed": given.seed}
    if others := [name for name in models if name != yardstick.RecBLR.__name__]:
        found |= compare(run, others)
    if yardstick.RecBLR.__name__ in models:
        found["yardstick"] = beside_the_yardstick(run)
    if output:
        results = json.loads(output.read_text()) if output.exists() else {}
        results[given.log.name] = results.get(given.log.name, {}) | found
        output.write_text(json.dumps(results, indent=2) + "\n")
    if failed := [row["model"] for row in found.get("rows", []) if "failed" in row]:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
