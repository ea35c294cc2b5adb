"""Events in whatever holds them, as an Arrow stream."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ._arrow import capsule_of, stream_in
from ._errors import UsageError
from ._exporter import stream_of_columns

ROW_NAMES: Sequence[str] = ("user", "item", "timestamp", "rating")
"""What the fields of tuples are."""


def capsule_of_events(events: Any) -> object:
    """A capsule with an Arrow stream of a data frame, of columns or of rows.

    Raises:
        UsageError: it is none of these, or not even.
    """
    if hasattr(events, "__arrow_c_stream__"):
        try:
            return _checked(events.__arrow_c_stream__())
        except ImportError:
            pass  # pandas, whose way to Arrow is pyarrow
    for conversion in ("to_arrow", "to_arrow_table"):
        if hasattr(events, conversion):
            return _checked(getattr(events, conversion)().__arrow_c_stream__())
    return capsule_of(stream_of_columns(_even(_columns(events))))


def is_pairs(events: Any) -> bool:
    """Whether it is a list of (user, item), which has no times but its order."""
    return isinstance(events, (list, tuple)) and len(events) > 0 and isinstance(events[0], (tuple, list)) and len(events[0]) == 2


def _checked(capsule: object) -> object:
    stream_in(capsule)
    return capsule


def _columns(events: Any) -> Mapping[str, Sequence[Any]]:
    if hasattr(events, "collect"):
        raise UsageError("this frame is lazy: give what its collect() returns")
    if hasattr(events, "columns") and hasattr(events, "to_numpy"):
        return {str(name): _array(events[name]) for name in events.columns}
    if isinstance(events, Mapping):
        return {str(name): _sequence(str(name), values) for name, values in events.items()}
    if isinstance(events, (str, bytes)):
        raise UsageError("a file of events is read by recblr.Dataset.read(path)")
    if not hasattr(events, "__iter__"):
        raise UsageError(
            f"a {type(events).__name__} holds no events: give a data frame, a list of tuples or dictionaries, or a dictionary of columns"
        )
    return _columns_of_rows(list(events))


def _sequence(name: str, values: Any) -> Sequence[Any]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise UsageError(f"the column '{name}' is {values!r}: give a list or an array")
    if hasattr(values, "iloc"):
        return _array(values)
    return values if hasattr(values, "__len__") and hasattr(values, "__getitem__") else list(values)


def _array(series: Any) -> Sequence[Any]:
    """A column of pandas, whose own [a:b] goes by labels, as a NumPy array; None where a kind of pandas' own has nothing."""
    has_gaps = hasattr(series.dtype, "na_value") and bool(series.isna().any())
    array: Sequence[Any] = series.to_numpy(dtype=object, na_value=None) if has_gaps else series.to_numpy()
    return array


def _columns_of_rows(rows: List[Any]) -> Mapping[str, Sequence[Any]]:
    if not rows:
        raise UsageError("there are no events")
    first = rows[0]
    if isinstance(first, Mapping):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {str(name): [row.get(name) for row in rows] for name in names}
    if isinstance(first, (str, bytes)) or not hasattr(first, "__len__"):
        raise UsageError(f"an event is (user, item), (user, item, time), (user, item, time, rating) or a dictionary, not {first!r}")
    fields: Sequence[str] = getattr(first, "_fields", ROW_NAMES)
    width = len(first)
    if any(len(row) != width for row in rows) or not 2 <= width <= len(fields):
        raise UsageError("events are tuples of one length: (user, item), (user, item, time) or (user, item, time, rating)")
    return dict(zip(fields, map(list, zip(*rows))))


def _even(columns: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    lengths: Dict[str, int] = {name: len(values) for name, values in columns.items()}
    if not lengths:
        raise UsageError("there are no columns")
    if len(set(lengths.values())) > 1:
        raise UsageError("columns differ in length: " + ", ".join(f"{name} {count}" for name, count in lengths.items()))
    return columns
