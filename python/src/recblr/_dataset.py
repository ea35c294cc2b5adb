"""Datasets: logs of events, prepared for training."""

from __future__ import annotations

import ctypes
import inspect
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _folders
from ._arrow import ArrowArrayStream, stream_in
from ._errors import DataError, NotFoundError, RecBLRError
from ._folders import Folder, PathLike
from ._frames import capsule_of_events, is_pairs
from ._library import Handle, Text, call, lib
from ._run import Report, observed, options, run
from ._table import Table, html_table
from ._tables import TableFiles
from ._values import settings_text, wheres
from ._words import translated

Dedupe = Literal["exact", "consecutive"]
Format = Literal["csv", "tsv", "recbole", "movielens", "jsonl", "sequences"]
Where = Mapping[str, Union[str, Sequence[str]]]


class Dataset:
    """Users' events in order of time, with users and items that have enough of them.

    `Dataset(events)` takes a data frame (anything with `__arrow_c_stream__`: polars, pandas, pyarrow, duckdb), a list of tuples or lists (user, item),
    (user, item, time) or (user, item, time, rating), a list of dictionaries, or a dictionary of columns (lists or NumPy arrays).
    `Dataset.read` reads files, `Dataset.open` opens what `save` or the command `recblr prepare` has written.

    Users and items are strings or integers (pandas makes real numbers of integers with gaps: `astype("Int64")` first), times are dates or numbers (seconds, milliseconds, microseconds or nanoseconds since 1970, found out as the
    command does). Events of one time keep their order.

    Args:
        events: what happened.
        user: the column of users; left out, one by a usual name ("user", "user_id", "customer_id", …). The other columns likewise.
        item: the column of items.
        timestamp: the column of times.
        rating: the column of ratings.
        file_order: the order of rows is the order of time, whatever times there are; of pairs (user, item) it is.
        where: keep only events whose column has this value, or one of these: {"type": "purchase"}.
        min_rating: drop events rated lower than this.
        dedupe: drop exact duplicates ("exact"), or also events of the item that the user's event before was of ("consecutive").
        min_user_events: drop users with fewer events than this, again and again with items until nothing changes.
        min_item_events: drop items with fewer events than this.
        titles: titles by item.
        skip_bad_rows: count rows without user or item and go on, instead of stopping at the first.

    A dataset that was not saved lives in a temporary folder, which goes when nobody holds the dataset any more. Any number of threads may use one; in
    a forked process it can be used; `pickle` passes the folder's path, so it has to be alive where it came from.

    Raises:
        UsageError: arguments that cannot be.
        DataError: no such column, a bad row, or nothing left.
    """

    def __init__(
        self,
        events: Any,
        user: Optional[str] = None,
        item: Optional[str] = None,
        timestamp: Optional[str] = None,
        rating: Optional[str] = None,
        *,
        file_order: bool = False,
        where: Optional[Where] = None,
        min_rating: Optional[float] = None,
        dedupe: Optional[Dedupe] = None,
        min_user_events: int = 5,
        min_item_events: int = 5,
        titles: Optional[Mapping[Any, str]] = None,
        skip_bad_rows: bool = False,
    ) -> None:
        settings = {
            "user": user,
            "item": item,
            "timestamp": timestamp,
            "rating": rating,
            "file_order": file_order or is_pairs(events),
            "where": _lists(where),
            "min_rating": min_rating,
            "dedupe": dedupe,
            "min_user_events": min_user_events,
            "min_item_events": min_item_events,
            "titles": None if titles is None else {str(key): str(title) for key, title in titles.items()},
            "skip_bad_rows": skip_bad_rows,
            "source": type(events).__name__,
        }
        given = settings_text(settings)
        capsule = capsule_of_events(events)
        folder = Folder.temporary()
        handle = Handle(lib.recblr_dataset_free)
        notes: List[str] = []

        def read(observer: Any) -> None:
            call(
                lib.recblr_dataset_read,
                stream_in(capsule),
                Text.of(given),
                Text.of(os.fspath(folder.path)),
                observer,
                handle.place,
            )

        try:
            observed(read, _noting(notes))
        except RecBLRError as error:
            raise translated(error, settings) from None
        self._become(folder, handle, notes)

    def _become(self, folder: Folder, handle: Handle, notes: Sequence[str]) -> None:
        self._place, self._handle = folder, handle
        self._notes = tuple(notes)
        self._summary: Dict[str, Any] = json.loads((folder.path / _folders.DATASET.marker).read_text(encoding="utf-8"))

    @classmethod
    def read(
        cls,
        paths: Union[PathLike, Sequence[PathLike]],
        *,
        format: Optional[Format] = None,
        delimiter: Optional[str] = None,
        header: Optional[bool] = None,
        user: Union[str, int, None] = None,
        item: Union[str, int, None] = None,
        timestamp: Union[str, int, None] = None,
        rating: Union[str, int, None] = None,
        file_order: bool = False,
        where: Optional[Where] = None,
        min_rating: Optional[float] = None,
        dedupe: Optional[Dedupe] = None,
        min_user_events: int = 5,
        min_item_events: int = 5,
        titles: Optional[PathLike] = None,
        title_column: Optional[str] = None,
        skip_bad_lines: bool = False,
    ) -> Dataset:
        """Reads files, or folders of parts, as `recblr prepare` does, with its options: tables, JSON Lines, RecBole's and MovieLens' files,
        compressed or not. Columns are names, or numbers from 1. What it found out about each file is in `notes`.

        Parquet and Arrow IPC files are read by pyarrow or polars, whichever is installed; what is about text alone (`format`, `delimiter`, `header`,
        `titles`) does not go with them.

        Raises:
            NotFoundError: there is no such file.
            DataError: a file is not what it should be.
            UsageError: options that cannot be.
            UnavailableError: nothing that reads Parquet or Arrow IPC is installed.
        """
        files = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        columns = {"user": user, "item": item, "timestamp": timestamp, "rating": rating}
        choices: Dict[str, Any] = {
            "file_order": file_order,
            "min_rating": min_rating,
            "dedupe": dedupe,
            "min_user_events": min_user_events,
            "min_item_events": min_item_events,
        }
        text_only = {
            "format": format,
            "delimiter": delimiter,
            "header": header,
            "titles": None if titles is None else os.fspath(titles),
            "title_column": title_column,
        }
        tables = TableFiles.among(files)
        if tables is None:
            arguments = options(**columns, **choices, **text_only, skip_bad_lines=skip_bad_lines)
            return cls._prepared([os.fspath(file) for file in files], arguments, where)
        tables.refuse(**text_only)
        names: Dict[str, Any] = tables.names(**columns)
        are_all_named = {"user", "item", "timestamp"} <= names.keys() | ({"timestamp"} if file_order else set())
        events = tables.table([*names.values(), *(where or {})] if are_all_named else None)
        return cls(events, **names, **choices, where=where, skip_bad_rows=skip_bad_lines)

    @classmethod
    def _prepared(cls, files: Sequence[str], arguments: Sequence[str], where: Optional[Where]) -> Dataset:
        folder = Folder.temporary()
        chosen = [f"--where={column}={value}" for column, value in wheres(where or {})]
        notes: List[str] = []
        try:
            run(["prepare", *arguments, *options(output=folder.path), *chosen, "--", *files], _noting(notes))
        except RecBLRError as error:
            raise translated(error, inspect.signature(cls.read).parameters) from None
        return cls._opened(folder, notes)

    @classmethod
    def open(cls, folder: PathLike) -> Dataset:
        """Opens a dataset's folder; its events are mapped into memory. O(users + items).

        Raises:
            NotFoundError: there is no such folder.
            DataError: it is no dataset's, or damaged.
        """
        return cls._opened(Folder(_folders.existing(folder)), ())

    @classmethod
    def _opened(cls, folder: Folder, notes: Sequence[str]) -> Dataset:
        handle = Handle(lib.recblr_dataset_free)
        call(lib.recblr_dataset_open, Text.of(os.fspath(folder.path)), handle.place)
        dataset = cls.__new__(cls)
        dataset._become(folder, handle, notes)
        return dataset

    def save(self, folder: PathLike) -> Path:
        """Copies the dataset to a folder, which the command understands as well; returns its path. A dataset that is there is replaced.

        Raises:
            WriteError: it cannot be written, or something else is there.
        """
        return _folders.copy(self.folder, folder, _folders.DATASET)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._place.path

    @property
    def events(self) -> int:
        """The number of events."""
        return int(self._summary["events"])

    @property
    def users(self) -> int:
        """The number of users."""
        return int(self._summary["users"])

    @property
    def items(self) -> int:
        """The number of items."""
        return int(self._summary["items"])

    @property
    def has_times(self) -> bool:
        """Whether it is known when events happened, not just their order."""
        return bool(self._summary["timestamps"])

    def _check_folder(self) -> None:
        marker = self.folder / _folders.DATASET.marker
        if not marker.is_file():
            raise NotFoundError(f"the dataset's folder {self.folder} is gone")
        if json.loads(marker.read_text(encoding="utf-8")) != self._summary:
            raise DataError(f"{self.folder} holds another dataset by now: open it again")

    @property
    def mark(self) -> str:
        """The same for the same events of the same users, and for no others."""
        return f"{self._summary['fingerprint']}-{self._summary.get('contents', '')}"

    @property
    def notes(self) -> Tuple[str, ...]:
        """What was found out while it was read: columns, what the times are, what was dropped."""
        return self._notes

    def __len__(self) -> int:
        return self.events

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The events as an Arrow stream: user, item (strings), and timestamp where there are times; by user and time."""
        return self.table().__arrow_c_stream__(requested_schema)

    def table(self) -> Table[Any]:
        """The events: user, item, and timestamp where there are times; by user and time."""
        names = ["user", "item"] + (["timestamp"] if self.has_times else [])
        row: Callable[..., Any] = NamedTuple("Event", [(name, Any) for name in names])  # type: ignore[misc]
        return Table(self._stream, row)

    def _stream(self) -> ArrowArrayStream:
        stream = ArrowArrayStream()
        call(lib.recblr_dataset_events, self._handle.pointer, ctypes.byref(stream))
        return stream

    def __reduce__(self) -> Tuple[Any, ...]:
        return (Dataset.open, (os.fspath(self.folder),))

    def __repr__(self) -> str:
        return f"<recblr.Dataset: {self.events:,} events of {self.users:,} users with {self.items:,} items>"

    def _repr_html_(self) -> str:
        rows = [["Events", f"{self.events:,}"], ["Users", f"{self.users:,}"], ["Items", f"{self.items:,}"]]
        return html_table(["Dataset", ""], rows)


def _lists(where: Optional[Where]) -> Optional[Dict[str, List[str]]]:
    if where is None:
        return None
    lists: Dict[str, List[str]] = {}
    for column, value in wheres(where):
        lists.setdefault(column, []).append(value)
    return lists


def _noting(notes: List[str]) -> Callable[[Report], None]:
    def note(report: Report) -> None:
        if isinstance(report, str):
            notes.append(report.strip())

    return note


def checked(data: object) -> Dataset:
    """`data`, where it is a dataset. Raises `DataError` where it is something else, or where its folder holds another one by now: commands go by the path."""
    if isinstance(data, Dataset):
        data._check_folder()
        return data
    raise DataError(f"a {type(data).__name__} is no dataset: make one with recblr.Dataset(…)")
