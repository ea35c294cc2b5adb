"""Parquet and Arrow IPC files, which a library that is installed reads."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from ._errors import DataError, UnavailableError, UsageError
from ._folders import PathLike

_MAGICS = {b"PAR1": "parquet", b"ARROW1": "ipc"}
_NAMES = {"parquet": "Parquet", "ipc": "Arrow IPC"}


class TableFiles(NamedTuple):
    """Files of tables with the same columns."""

    paths: List[str]
    format: str
    """ "parquet" or "ipc"."""

    @classmethod
    def among(cls, paths: Sequence[PathLike]) -> Optional[TableFiles]:
        """The files, and those of folders by name, where the first is a table; else None: then it is text for the command.

        Raises:
            DataError: only some of them are tables, or they are of two kinds.
        """
        files = [file for path in paths for file in _files(Path(path))]
        formats = [_format(file) for file in files]
        if not files or formats[0] is None:
            return None
        for file, format in zip(files, formats):
            if format != formats[0]:
                raise DataError(f"{file} is no {_NAMES[formats[0]]} file, but {files[0]} is: read one kind at a time")
        return cls(list(map(os.fspath, files)), formats[0])

    def refuse(self, **text_only: object) -> None:
        """Raises `UsageError` where one is given that files of text alone have."""
        for name, value in text_only.items():
            if value is not None:
                raise UsageError(f"{name}= is for files of text, and {self.paths[0]} is a table")

    def names(self, **columns: Union[str, int, None]) -> Dict[str, str]:
        """The columns that are given. Raises `UsageError` where one is a number."""
        for name, column in columns.items():
            if isinstance(column, int):
                raise UsageError(f"{name}={column}: columns of {self.paths[0]} have names")
        return {name: column for name, column in columns.items() if isinstance(column, str)}

    def table(self, wanted: Optional[Sequence[str]]) -> Any:
        """What holds the rows, for `Dataset(…)`: with the wanted columns alone, where there are all of them.

        Raises:
            UnavailableError: neither pyarrow nor polars is installed.
            DataError: a file is damaged.
        """
        for library, read in (("pyarrow.dataset", _by_pyarrow), ("polars", _by_polars)):
            try:
                module = importlib.import_module(library)
            except ImportError:
                continue
            try:
                return read(module, self, wanted)
            except Exception as error:
                raise DataError(f"{self.paths[0]}: {library.partition('.')[0]} cannot read it: {str(error)[:300]}") from error
        raise UnavailableError(
            f"{self.paths[0]} is a file of the format {_NAMES[self.format]}, which pyarrow or polars reads: pip install pyarrow"
        )


def _files(path: Path) -> List[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.is_file() and file.name[0] not in "._")


def _format(file: Path) -> Optional[str]:
    # Whatever else a path may be, such as a pipe, is not to be read twice.
    if not file.is_file():
        return None
    try:
        with open(file, "rb") as opened:
            head = opened.read(6)
    except OSError:
        return None
    return next((format for magic, format in _MAGICS.items() if head.startswith(magic)), None)


def _by_pyarrow(dataset: Any, files: TableFiles, wanted: Optional[Sequence[str]]) -> Any:
    source = dataset.dataset(files.paths, format=files.format)
    return source.scanner(columns=_chosen(wanted, source.schema.names)).to_reader()


def _by_polars(polars: Any, files: TableFiles, wanted: Optional[Sequence[str]]) -> Any:
    frame = (polars.scan_parquet if files.format == "parquet" else polars.scan_ipc)(files.paths)
    columns = _chosen(wanted, frame.collect_schema().names())
    return (frame if columns is None else frame.select(columns)).collect()


def _chosen(wanted: Optional[Sequence[str]], there: Sequence[str]) -> Optional[List[str]]:
    # A column that is not there is the library's to tell, with what is there.
    return None if wanted is None or not set(wanted) <= set(there) else list(wanted)
