"""The program: trains, evaluates, and gives away its scores."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cases import Case, Events

SETTINGS = ("unmasked", "masked")
NAMES = {"hr": "hit@10", "ndcg": "ndcg@10", "mrr": "mrr@10"}  # ours, RecBole's


class Program:
    """recblr, on one dataset."""

    def __init__(self, path: Path, dataset: Path, threads: int) -> None:
        self.path = path
        self.dataset = dataset
        self.threads = threads

    def run(self, *words: object, **pipes: object) -> str:
        command = [str(word) for word in (self.path, *words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **pipes)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def prepare(self, log: Path) -> None:
        self.run("prepare", log, "--output", self.dataset)

    def train(self, model: Path, *options: object) -> dict:
        """The record of the training."""
        return json.loads(self.run("train", self.dataset, "--model", model, "--threads", self.threads, "--json", *options))

    def evaluate(self, model: Path, *options: object) -> dict[str, dict[str, float]]:
        """By setting, under RecBole's names."""
        words = ("evaluate", model, self.dataset, "--threads", self.threads, "--json", *options)
        return metrics(next(report["all"] for report in json.loads(self.run(*words)) if report["name"] == "RecBLR"))

    def scores(self, model: Path, cases: list[Case], events: Events, length: int | None) -> Iterator[dict[int, float]]:
        """For each case the scores of its best items: enough of them that ten are left without what was seen."""
        number = {raw: item for item, raw in enumerate(events.items, 1)}
        many = min(len(events.items), 10 + max(len(set(case.history)) for case in cases))
        lines = (json.dumps([events.items[item - 1] for item in case.history[-(length or len(case.history)):]]) for case in cases)
        words = ("recommend", model, "--histories", "-", "--no-exclude-seen", "-k", many, "--format", "jsonl", "--threads", self.threads)
        answers = self.run(*words, input="\n".join(lines))
        for line in answers.splitlines():
            yield {number[item["id"]]: item["score"] for item in json.loads(line)["recommendations"]}


def metrics(report: dict) -> dict[str, dict[str, float]]:
    return {setting: {theirs: report[setting]["at10"][own] for own, theirs in NAMES.items()} for setting in SETTINGS}


def run_summary(record: dict) -> dict:
    """Of a training's record, under the names of recbole_side.Trained."""
    epochs = record["epochs"]
    return {"epochs": len(epochs), "best_epoch": record["bestEpoch"], "seconds": epochs[-1]["seconds"], "finished": True}
