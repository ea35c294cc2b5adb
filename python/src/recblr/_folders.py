"""Folders of datasets and models: temporary ones, and copies that are whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import uuid
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union

from ._errors import NotFoundError, WriteError

PathLike = Union[str, "os.PathLike[str]"]


class Folder:
    """A folder that an object reads; a temporary one goes when nobody holds this any more, or the process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def temporary(cls) -> Folder:
        """A place for a new folder `path`, in a temporary folder that exists."""
        parent = Path(tempfile.mkdtemp(prefix="recblr-"))
        folder = cls(parent / "folder")
        weakref.finalize(folder, _remove, parent, os.getpid())
        return folder


def _remove(folder: Path, owner: int) -> None:
    # A forked child has the object too, but the folder is its parent's.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def existing(path: PathLike) -> Path:
    """The absolute path of a folder. Raises `NotFoundError` where there is none."""
    folder = Path(path).absolute()
    if not folder.is_dir():
        raise NotFoundError(f"{os.fspath(path)}: there is no such folder")
    return folder


def copy(source: Path, destination: PathLike, marker: str) -> Path:
    """Copies a folder beside its destination and renames it, so that the destination is the old one or the new one.

    A folder there is replaced where it is empty or has a file `marker`, as the command's rule is; anything else raises `WriteError`.
    """
    final = Path(destination).absolute()
    if final.exists() and final.samefile(source):
        return final
    _check_replaceable(final, marker)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{final.name}.", suffix=".tmp", dir=final.parent) as parent:
            new, old = Path(parent, "new"), Path(parent, "old")
            shutil.copytree(source, new)
            if final.exists():
                os.rename(final, old)
            try:
                os.rename(new, final)
            except OSError:
                if old.exists():
                    os.rename(old, final)
                raise
    except OSError as error:
        raise WriteError(f"{os.fspath(destination)} cannot be written: {error.strerror or error}") from error
    return final


def _check_replaceable(folder: Path, marker: str) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / marker).is_file()):
        raise WriteError(f"{folder} is there and not recblr's to replace: it has no {marker}")


@contextmanager
def run_folder(name: str, resume: bool) -> Iterator[Path]:
    """Where a training without a folder of its own lives until it is done: `recblr/runs/NAME` in the user's cache folder.

    While another one has that, and goes on, it is a folder that nobody has.
    """
    folder = _cache_for_runs() / name
    with open(folder.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not resume:
                folder = folder.with_name(f"{name}-{uuid.uuid4().hex[:8]}")
        yield folder


def _cache_for_runs() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base, "recblr", "runs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}; give model=, a folder for the model") from error
    return folder


def name_of(parts: object) -> str:
    """A short name that is the same for equal parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
