"""A dataset that `recblr prepare` made, and its leave-one-out cases."""

import csv
import hashlib
import json
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """What a user did, in order, and what came next. Items are numbered from 1."""

    user: int
    history: list[int]
    target: int


class Events:
    """The sequence of items of each user, in the order of time; equal times in the order of the log."""

    def __init__(self, sequences: list[list[int]], items: list[str]) -> None:
        self.sequences = sequences
        self.items = items  # raw ids; that of item 1 comes first

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.sequences, self.items]).encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> "Events":
        """Of a dataset's folder (docs/files.md)."""
        starts, numbers = read_array(folder / "starts.i64", "q"), read_array(folder / "items.i32", "i")
        lines = (folder / "items.tsv").read_text().splitlines()[1:]
        sequences = [numbers[first:last].tolist() for first, last in zip(starts, starts[1:])]
        return cls(sequences, [line.split("\t")[0] for line in lines])

    def test(self) -> Iterator[Case]:
        """The last event of each user who has three."""
        return (Case(user, own[:-1], own[-1]) for user, own in enumerate(self.sequences) if len(own) >= 3)

    def validation(self) -> Iterator[Case]:
        """The event before it."""
        return (Case(user, own[:-2], own[-2]) for user, own in enumerate(self.sequences) if len(own) >= 3)

    def training(self) -> Iterator[Case]:
        """Every event before these that has a history, as a case of its own."""
        for user, own in enumerate(self.sequences):
            for end in range(1, len(own) - 2 if len(own) >= 3 else len(own)):
                yield Case(user, own[:end], own[end])

    def write_training(self, path: Path) -> None:
        """The training events alone, as CSV in order of time; items without any are the only event of a user of their own."""
        sequences = [own[:-2] if len(own) >= 3 else own for own in self.sequences]
        missing = set(range(1, len(self.items) + 1)).difference(*sequences)
        with open(path, "w", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["user", "item"])
            for user, own in enumerate(sequences + [[item] for item in sorted(missing)]):
                rows.writerows((user, self.items[item - 1]) for item in own)

    def write_atomic(self, folder: Path) -> None:
        """RecBole's atomic file. The time is the event's number: RecBole keeps times in float32, which holds today's to the minute."""
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / f"{folder.name}.inter", "w") as file:
            file.write("user_id:token\titem_id:token\ttimestamp:float\n")
            for user, own in enumerate(self.sequences):
                file.writelines(f"{user}\t{item}\t{time}\n" for time, item in enumerate(own))


def read_array(path: Path, kind: str) -> array:
    """Little-endian numbers."""
    numbers = array(kind)
    numbers.frombytes(path.read_bytes())
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
