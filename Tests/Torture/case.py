"""A check, what it may find, and the folder it works in."""

import os
import shutil
from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Failure:
    """What went wrong: `key` is part/subject/kind and groups failures of the same sort."""

    key: str
    detail: str
    case: str = ""
    folder: str = ""  # where the files are that show it


@dataclass
class Case:
    """One check of a part; its name is unique in the part and the same in every run with the same seed."""

    part: str
    name: str
    check: Callable

    @property
    def label(self):
        return f"{self.part}/{self.name}"


@dataclass
class Context:
    """What every check is given."""

    program: object
    world: str  # the folder of files to copy, never changed
    workplace: str  # checks make their folders here
    keep: bool = False
    notes: list = field(default_factory=list)

    def folder(self, case):
        path = os.path.join(self.workplace, case.label.replace("/", "-").replace(":", "-"))
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def discard(self, folder):
        if not self.keep:
            shutil.rmtree(folder, ignore_errors=True)
