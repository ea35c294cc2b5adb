"""Tables that the library computes while they are read."""

from __future__ import annotations

import html
import itertools
from typing import TYPE_CHECKING, Any, Callable, Dict, Generic, Iterator, List, Optional, Sequence, TypeVar

from ._arrow import ArrowArrayStream, lent, release
from ._reader import Batch, batches

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Row = TypeVar("Row")

_ROWS_SHOWN = 10


class Table(Generic[Row]):
    """Rows from the library, as an Arrow stream or as Python's objects.

    polars, pandas, pyarrow and duckdb take it as it is (`polars.DataFrame(table)`), by `__arrow_c_stream__`. It is computed while it is
    read, each time that it is read.
    """

    def __init__(self, open_stream: Callable[[], ArrowArrayStream], row: Callable[..., Row]) -> None:
        self._open = open_stream
        self._row = row
        # Opened at once, so that what is wrong is said where the table is asked for.
        self._unread: Optional[ArrowArrayStream] = None
        self._unread = open_stream()

    def __del__(self) -> None:
        if self._unread is not None:
            release(self._unread)

    def _stream(self) -> ArrowArrayStream:
        """A stream that nobody has read; the caller is its owner."""
        unread, self._unread = self._unread, None
        return unread if unread is not None else self._open()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as an Arrow stream in a capsule; `requested_schema` is not looked at, as Arrow allows."""
        return lent(self._stream())

    def _batches(self) -> Iterator[Batch]:
        return batches(self._stream())

    def __iter__(self) -> Iterator[Row]:
        for batch in self._batches():
            yield from map(self._row, *batch.values())

    def to_dicts(self) -> List[Dict[str, Any]]:
        """The rows as dictionaries."""
        rows: List[Dict[str, Any]] = []
        for batch in self._batches():
            rows.extend(dict(zip(batch, values)) for values in zip(*batch.values()))
        return rows

    def to_polars(self) -> polars.DataFrame:
        """The table as a data frame of polars, which has to be installed."""
        import polars

        return polars.DataFrame(self)

    def to_arrow(self) -> pyarrow.Table:
        """The table as one of pyarrow, which has to be installed."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a data frame of pandas, which has to be installed; with pyarrow it is quicker."""
        import pandas

        try:
            return self.to_arrow().to_pandas()
        except ImportError:
            columns: Dict[str, List[Any]] = {}
            for batch in self._batches():
                for name, values in batch.items():
                    columns.setdefault(name, []).extend(values)
            return pandas.DataFrame(columns)

    def _repr_html_(self) -> str:
        rows = list(itertools.islice(self, _ROWS_SHOWN + 1))
        names: Sequence[str] = getattr(rows[0], "_fields", ()) if rows else ()
        more = "<p>…</p>" if len(rows) > _ROWS_SHOWN else ""
        return html_table(names, [list(row) for row in rows[:_ROWS_SHOWN]]) + more  # type: ignore[call-overload]


def html_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table for a notebook."""

    def line(cells: Sequence[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(_shown(cell))}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
