"""The program: trains, evaluates, and gives away its scores."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cases import Case, Events

NAMES = {"hr": "hit@10", "ndcg": "ndcg@10", "mrr": "mrr@10"}  # ours, RecBole's


class Program:
    """recblr, on one dataset."""

    def __init__(self, path: Path, dataset: Path, threads: int) -> None:
        self.path = path
        self.dataset = dataset
        self.threads = threads

    @property
    def digest(self) -> str:
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def prepare(self, log: Path, *options: object) -> None:
        self._run("prepare", log, "--output", self.dataset, *options)

    def train(self, model: Path, *options: object) -> dict:
        """The record of the training."""
        return json.loads(self._run("train", self.dataset, "--model", model, "--threads", self.threads, "--json", *options))

    def evaluate(self, model: Path, *options: object) -> dict[str, dict[str, float]]:
        """By setting, under RecBole's names."""
        reports = json.loads(self._run("evaluate", model, self.dataset, "--threads", self.threads, "--json", *options))
        settings = next(report["all"] for report in reports if report["name"] == "RecBLR")
        return {setting: {NAMES[name]: settings[setting]["at10"][name] for name in NAMES} for setting in ("unmasked", "masked")}

    def scores(self, model: Path, cases: list[Case], events: Events, length: int | None) -> Iterator[dict[int, float]]:
        """For each case the scores of its best items: as many that ten are left without those seen. Reads the last `length` events."""
        number = {raw: item for item, raw in enumerate(events.items, 1)}
        many = min(len(events.items), 10 + max(len(set(case.history)) for case in cases))
        histories = model.with_suffix(".histories.jsonl")
        with open(histories, "w") as file:
            for case in cases:
                read = case.history[-length:] if length else case.history
                file.write(json.dumps([events.items[item - 1] for item in read]) + "\n")
        command = self._command(
            "recommend", model, "--histories", histories, "--no-exclude-seen", "-k", many, "--format", "jsonl", "--threads", self.threads)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                yield {number[item["id"]]: item["score"] for item in json.loads(line)["recommendations"]}
        if process.returncode:
            raise SystemExit(f"this failed: {' '.join(command)}")

    def _command(self, *words: object) -> list[str]:
        return [str(word) for word in (self.path, *words)]

    def _run(self, *words: object) -> str:
        """What it prints. What it says on standard error is for the reader."""
        done = subprocess.run(self._command(*words), stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"this failed: {' '.join(done.args)}")
        return done.stdout
