"""recblr beside RecBole 1.2.1 on the same events, split and cases.

    python compare.py --program recblr --log ml-100k.inter --work DIR [--output FILE] [--models SASRec,NARM] [--minutes 30]

What is done is kept in DIR, a file a model, and not done again. A model that did not finish goes on only with more minutes than it had,
from the start.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import yardstick
from cases import Events
from ours import Program, run_summary
from recbole_side import SETTINGS, Split, configuration, judge, train

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
        folder = self.work / "events"
        return Split(configuration(model, folder, self.length, self.seed, **settings), self.events)

    def kept(self, name: str, make: Callable[[], dict], enough: Callable[[dict], bool] = lambda result: True) -> dict:
        """The result of that name, made where there is none that is enough."""
        file = self.work / f"{name}-length{self.length}-seed{self.seed}.json"
        if file.exists() and enough(result := json.loads(file.read_text())):
            return result
        result = make()
        scratch = file.with_suffix(".tmp")
        scratch.write_text(json.dumps(result, indent=2) + "\n")
        scratch.replace(file)
        return result


def theirs(run: Run, name: str) -> dict:
    """A model of RecBole."""
    def make() -> dict:
        print(f"{name}: training", flush=True)
        trained = train(name, run.split(name), run.minutes, tell=lambda line: print(line, flush=True))
        return asdict(trained) | {"minutes": run.minutes}

    return run.kept(name, make, lambda result: result["finished"] or result["minutes"] >= run.minutes)


def ours(run: Run, name: str, length: int | None, *options: object) -> dict:
    """A model of recblr, by its own evaluation and by RecBole's evaluator from its scores. `length`: the last events that it reads."""
    def make() -> dict:
        print(f"{name}: training", flush=True)
        model = run.work / f"{name.replace(' ', '-')}-seed{run.seed}"
        record = run.program.train(model, "--restart", "--seed", run.seed, *options)
        own = run.program.evaluate(model, *(["--max-length", length] if length else []))
        scores = run.program.scores(model, list(run.events.test()), run.events, length)
        return run_summary(record) | {"model": name, "test": own, "byRecBole": judge(run.split("SASRec"), scores)}

    return run.kept(name, make)


def difference(row: dict) -> float:
    """The largest between our evaluation and RecBole's of the same scores."""
    return max(abs(row["test"][setting][name] - row["byRecBole"][setting][name]) for setting in SETTINGS for name in METRICS)


def table(rows: list[dict]) -> str:
    head = ["", *(f"{name.replace('hit', 'HR').upper()}" for name in METRICS), *("masked",) * 3, "epochs", "seconds"]
    lines = [head, ["---"] + ["---:"] * 8]
    for row in rows:
        numbers = [f"{row['test'][setting][name]:.4f}" for setting in SETTINGS for name in METRICS]
        epochs = f"{row['best_epoch']} of {row['epochs']}" + ("" if row["finished"] else ", not finished")
        lines.append([row["model"], *numbers, epochs, f"{row['seconds']:,.0f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compare(run: Run, models: list[str]) -> dict:
    """The table of all of them."""
    rows = [
        ours(run, "recblr", None),
        ours(run, f"recblr paper", run.length, "--no-repeat-aware", "--max-length", run.length)]
    rows += [theirs(run, name) for name in models]
    print(f"\nHR, NDCG and MRR at 10, unmasked and masked\n\n{table(rows)}\n")
    for row in rows[:2]:
        print(f"{row['model']}: RecBole's evaluator on its scores differs by {difference(row):.1e} at most")
    return {"rows": rows, "largestDifference": max(difference(row) for row in rows[:2])}


def beside_the_yardstick(run: Run) -> dict:
    """The paper's model by RecBole's trainer and by ours, an epoch a line."""
    split = run.split(yardstick.RecBLR, **yardstick.SETTINGS)

    def tell(who: str) -> Callable[[yardstick.Epochs], None]:
        return lambda epochs: print(who, json.dumps(epochs[-1]), flush=True)

    recbole = run.kept("RecBLR", lambda: {"epochs": yardstick.recbole_epochs(split, run.minutes, tell("RecBole"))})["epochs"]
    model = run.work / f"yardstick-seed{run.seed}"
    own = run.kept("RecBLR-ours", lambda: {
        "epochs": yardstick.our_epochs(run.program, model, split, len(recbole), tell("recblr"))})["epochs"]
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


if __name__ == "__main__":
    main()
