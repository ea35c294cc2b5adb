"""Arrow columns from lists and NumPy arrays, without a library.

A column becomes an int64, uint64, float64, utf8 or timestamp array; `None` becomes a null.
"""

from __future__ import annotations

import datetime
import operator
from array import array
from itertools import accumulate
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

from ._errors import UsageError

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Column(NamedTuple):
    """One column of one batch."""

    format: bytes
    """Of the Arrow C data interface: b"l" is int64, b"L" uint64, b"g" float64, b"u" utf8, b"tsu:UTC" microseconds since 1970."""
    length: int
    null_count: int
    buffers: List[Optional[int]]
    """Addresses: of the bits that say what is not null (or None), and of the values."""
    kept: object
    """What owns the memory."""


def column(name: str, values: Sequence[Any]) -> Column:
    """A column of what a list or a NumPy array holds.

    Raises:
        UsageError: values of several kinds, or of one that is no id, number or time.
    """
    quick = _numpy_column(values)
    return quick if quick is not None else _list_column(name, _plain(values))


def _plain(values: Any) -> List[Any]:
    """Python's own objects instead of NumPy's scalars."""
    for method in ("tolist", "to_list", "to_pylist"):
        if hasattr(values, method):
            values = getattr(values, method)()
            break
    return [plain_value(value) for value in values]


def plain_value(value: Any) -> Any:
    """Python's own object instead of a NumPy scalar."""
    if type(value) in (str, int, float) or value is None or not hasattr(value, "item"):
        return value
    if hasattr(value, "astype") and getattr(getattr(value, "dtype", None), "kind", "") == "M":
        return value.astype("datetime64[us]").item()
    return value.item()


def _numpy_column(values: Any) -> Optional[Column]:
    """The memory of a NumPy array as it is, or None where it has to be converted."""
    described = getattr(values, "__array_interface__", None)
    if described is None or len(described["shape"]) != 1:
        return None
    kind, dtype = described["typestr"][1], getattr(values, "dtype", None)
    if kind == "u":
        values, arrow = values.astype("uint64"), b"L"
    elif kind in "ib":
        values, arrow = values.astype("int64"), b"l"
    elif kind == "f":
        values, arrow = values.astype("float64"), b"g"
    elif kind == "M" and not bool((values != values).any()):
        unit = str(dtype).rpartition("[")[2].rstrip("]")
        unit = unit if unit in ("s", "ms", "us", "ns") else "us"
        values, arrow = values.astype(f"datetime64[{unit}]"), f"ts{unit[0]}:UTC".encode()
    else:
        return None
    values = values if values.flags.c_contiguous else values.copy()
    return Column(arrow, len(values), 0, [None, values.__array_interface__["data"][0]], values)


def _list_column(name: str, values: List[Any]) -> Column:
    kinds = {type(value) for value in values}
    has_nulls = type(None) in kinds
    kinds.discard(type(None))
    if not kinds or all(issubclass(kind, str) for kind in kinds):
        return _text_column(values, has_nulls)
    if all(issubclass(kind, datetime.date) for kind in kinds):  # and datetime, which is one
        return _number_column(b"tsu:UTC", "q", _microseconds, values, has_nulls)
    if all(hasattr(kind, "__index__") for kind in kinds):
        return _number_column(b"l", "q", operator.index, values, has_nulls)
    if all(issubclass(kind, float) or hasattr(kind, "__index__") for kind in kinds):
        return _number_column(b"g", "d", float, values, has_nulls)
    if float in kinds and any(value != value for value in values):  # pandas' way to say that there is none
        return _list_column(name, [None if value != value else value for value in values])
    names = " and ".join(sorted(kind.__name__ for kind in kinds))
    raise UsageError(f"the column '{name}' holds {names}: it has to be all strings, all numbers or all times")


def _microseconds(value: datetime.date) -> int:
    """Since 1970; a time without a zone is taken for UTC."""
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    return (value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)).__sub__(EPOCH) // _MICROSECOND


def _number_column(arrow: bytes, code: str, convert: Callable[[Any], Any], values: List[Any], has_nulls: bool) -> Column:
    valid = _valid_bits(values) if has_nulls else None
    try:
        numbers = array(code, [0 if value is None else convert(value) for value in values])
    except OverflowError:
        raise UsageError("a number does not fit into 64 bits: give such ids as strings") from None
    return _column(arrow, values, valid, [numbers])


def _text_column(values: List[Optional[str]], has_nulls: bool) -> Column:
    valid = _valid_bits(values) if has_nulls else None
    texts = [value or "" for value in values] if has_nulls else values
    joined = "".join(texts)  # type: ignore[arg-type]
    # Where all is ASCII, characters are bytes, and no text has to be encoded by itself.
    lengths = map(len, texts) if joined.isascii() else (len(encoded(text)) for text in texts)  # type: ignore
    offsets = array("i", [0])
    try:
        offsets.extend(accumulate(lengths))
    except OverflowError:
        raise UsageError("the strings of a million rows take more than 2 GiB") from None
    return _column(b"u", values, valid, [offsets, array("B", encoded(joined) or b"\0")])


def encoded(text: str) -> bytes:
    """In UTF-8. Raises `UsageError` for half a character, as JavaScript's strings may have."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{text[error.start : error.end]!r} in a text is no character: it is half of one") from None


def _column(arrow: bytes, values: List[Any], valid: Optional[array[int]], parts: List[array[Any]]) -> Column:
    owners = [valid, *parts]
    addresses = [None if owner is None else owner.buffer_info()[0] for owner in owners]
    return Column(arrow, len(values), values.count(None) if valid is not None else 0, addresses, owners)


def _valid_bits(values: List[Any]) -> array[int]:
    bits = array("B", bytes((len(values) + 7) // 8))
    for row, value in enumerate(values):
        if value is not None:
            bits[row >> 3] |= 1 << (row & 7)
    return bits
