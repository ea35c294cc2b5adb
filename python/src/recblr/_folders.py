"""Folders of datasets and models: temporary ones, and copies that are whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import FrozenSet, Iterator, NamedTuple, Tuple, Union

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


class Kind(NamedTuple):
    """A kind of folder, as the command knows it (`FolderKind`), so that others are never replaced."""

    name: str
    """For messages."""
    files: FrozenSet[str]
    """All that may be in one."""
    marker: str
    """A JSON file that every one has."""
    marker_keys: FrozenSet[str]
    """What the marker has in every version."""

    def owns(self, entry: Path) -> bool:
        """Whether something in a folder is of its writer, temporary files of writers that were killed included."""
        name = re.fullmatch(r"\.(.+)\.[0-9]{1,10}\.tmp", entry.name)
        if entry.is_dir() and not entry.is_symlink():
            return name is not None and name[1] == entry.parent.name
        return entry.name in self.files or entry.name == ".DS_Store" or (name is not None and name[1] in self.files)

    def marks(self, folder: Path) -> bool:
        """Whether a folder has the marker, with its keys."""
        try:
            fields = json.loads((folder / self.marker).read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(fields, dict) and self.marker_keys <= fields.keys()


DATASET = Kind(
    "dataset",
    frozenset({"items.i32", "starts.i64", "timestamps.i64", "timestamps.f64", "users.tsv", "items.tsv", "dataset.json"}),
    "dataset.json",
    frozenset({"format", "fingerprint"}),
)
MODEL = Kind(
    "model",
    frozenset(
        {
            "model.safetensors",
            "config.json",
            "items.tsv",
            "popularity.i64",
            "training.json",
            "report.html",
            "checkpoint.safetensors",
            "training.jsonl",
        }
    ),
    "config.json",
    frozenset({"format", "itemCount", "hiddenSize"}),
)


def copy(source: Path, destination: PathLike, kind: Kind) -> Path:
    """Copies a folder's files beside its destination, where symbolic links point, and puts the copy there; returns the destination's absolute path.

    Whatever happens, Ctrl-C included, the destination is the old folder or the new one. An empty folder or one of this kind is replaced; where
    anything else is there, raises `WriteError`.
    """
    final = Path(os.path.realpath(destination))
    try:
        if not (final.exists() and final.samefile(source)):
            _check_replaceable(final, kind)
            final.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{final.name}.", suffix=".tmp", dir=final.parent) as parent:
                new = Path(parent, "new")
                new.mkdir()
                for file in filter(Path.is_file, map(source.joinpath, kind.files)):
                    shutil.copyfile(file, new / file.name)
                _put(new, final)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"{os.fspath(destination)} cannot be written: {error.strerror or error}") from error
    return Path(destination).absolute()


def _check_replaceable(folder: Path, kind: Kind) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise WriteError(f"{folder} cannot be replaced: it is a file, expected a folder or nothing")
    entries = sorted(folder.iterdir())
    for entry in entries:
        if not kind.owns(entry):
            raise WriteError(
                f"{folder} cannot be replaced: it holds {entry.name}, which does not belong there; choose another folder"
            )
    if any(entry.name in kind.files for entry in entries) and not kind.marks(folder):
        raise WriteError(
            f"{folder} cannot be replaced: it has no {kind.marker} that recblr wrote for a {kind.name}; choose another folder"
        )


_LIBC = ctypes.CDLL(None, use_errno=True)
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def _put(new: Path, final: Path) -> None:
    """Moves a folder to a place where nothing is, an empty folder, or one that gets its name instead."""
    if not final.is_dir() or not any(final.iterdir()):
        os.rename(new, final)
    elif not _exchange(new, final):
        old = new.with_name("old")
        try:
            os.rename(final, old)
            os.rename(new, final)
        except BaseException:
            if old.exists() and not final.exists():
                os.rename(old, final)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Lets two folders change their names at one moment; False where the file system cannot."""
    if _LIBC.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code))


@contextmanager
def run_folder(name: str, resume: bool) -> Iterator[Tuple[Path, bool]]:
    """Where a training without a folder of its own lives until it is done: `recblr/runs/NAME` in the user's cache folder; and whether nobody else has
    that.

    While another one has it, and goes on, it is a folder that nobody has, unless a run is to be resumed.
    """
    folder = _cache_for_runs() / name
    with open(folder.with_suffix(".lock"), "w") as lock:
        is_own = True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_own = not resume
            if not resume:
                folder = folder.with_name(f"{name}-{uuid.uuid4().hex[:8]}")
        yield folder, is_own


def is_finished_run(model: Path) -> bool:
    """Whether a training into this folder, which is whole or not there, has come to its end: only an unfinished one has a folder beside it."""
    return MODEL.marks(model) and (model / "model.safetensors").is_file() and not model.with_name(f"{model.name}.training").exists()


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
