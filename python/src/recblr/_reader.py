"""Reads the few kinds of Arrow columns that the library hands out, without a library."""

from __future__ import annotations

import ctypes
import datetime
from array import array
from typing import Any, Dict, Iterator, List, Tuple

from ._arrow import ArrowArray, ArrowArrayStream, ArrowSchema, release
from ._columns import EPOCH
from ._errors import RecBLRError, UnavailableError, UsageError

Batch = Dict[str, List[Any]]
"""Columns by name, all of one length; None where a value is null."""


def batches(stream: ArrowArrayStream) -> Iterator[Batch]:
    """The batches of a stream, which is released at its end or with the iterator.

    Raises:
        UsageError, UnavailableError: the settings or a forked process are at fault.
        RecBLRError: the stream's own error.
    """
    schema = ArrowSchema()
    try:
        _check(stream, stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)))
        try:
            names = [schema.children[child].contents.name.decode() for child in range(schema.n_children)]
            formats = [_format(schema.children[child].contents) for child in range(schema.n_children)]
        finally:
            schema.release(ctypes.byref(schema))
        while True:
            values = ArrowArray()
            _check(stream, stream.get_next(ctypes.byref(stream), ctypes.byref(values)))
            if not values.release:
                return
            try:
                batch = {
                    name: _values(form, values.children[child].contents) for child, (name, form) in enumerate(zip(names, formats))
                }
            finally:
                values.release(ctypes.byref(values))
            yield batch
    finally:
        release(stream)


def _check(stream: ArrowArrayStream, code: int) -> None:
    if code == 0:
        return
    message = stream.get_last_error(ctypes.byref(stream))
    raise _error(ctypes.string_at(message).decode("utf-8", "replace") if message else f"an Arrow stream failed ({code})")


def _error(message: str) -> RecBLRError:
    """An error of a stream, which has a sentence but no code: the sentences of these two classes are known."""
    if message.startswith("at lies before the last event"):
        return UsageError(message.replace("at", "time", 1))
    return (UnavailableError if message.startswith("this process is a fork") else RecBLRError)(message)


def _format(schema: ArrowSchema) -> Tuple[str, ...]:
    """An Arrow format, and those of its children."""
    return (schema.format.decode(), *(schema.children[child].contents.format.decode() for child in range(schema.n_children)))


def _values(form: Tuple[str, ...], values: ArrowArray) -> List[Any]:
    if form[0].startswith("+w:"):
        result = _lists(int(form[0][3:]), form[1], values)
    elif form[0] in ("u", "U"):
        result = _texts("i" if form[0] == "u" else "q", values)
    else:
        result = _numbers(form[0], values)
    return _with_nulls(result, values)


_NUMBERS: Dict[str, str] = {"i": "i", "l": "q", "L": "Q", "f": "f", "g": "d"}


def _numbers(form: str, values: ArrowArray) -> List[Any]:
    if form.startswith("tsu:"):
        return [_time(value) for value in _buffer("q", values, 1, values.offset, values.length)]
    return _buffer(_NUMBERS[form], values, 1, values.offset, values.length).tolist()


def _time(microseconds: int) -> datetime.datetime:
    return EPOCH + datetime.timedelta(microseconds=microseconds)


def _texts(code: str, values: ArrowArray) -> List[Any]:
    offsets = _buffer(code, values, 1, values.offset, values.length + 1)
    text = ctypes.string_at(values.buffers[2] + offsets[0], offsets[-1] - offsets[0]) if offsets[-1] > offsets[0] else b""
    first = offsets[0]
    return [text[start - first : end - first].decode() for start, end in zip(offsets, offsets[1:])]


def _lists(width: int, form: str, values: ArrowArray) -> List[Any]:
    child = values.children[0].contents
    start = child.offset + values.offset * width
    numbers = _buffer(_NUMBERS[form], child, 1, start, values.length * width)
    return [numbers[row * width : (row + 1) * width] for row in range(values.length)]


def _buffer(code: str, values: ArrowArray, index: int, start: int, count: int) -> array[Any]:
    numbers = array(code)
    if count > 0:
        numbers.frombytes(ctypes.string_at(values.buffers[index] + start * numbers.itemsize, count * numbers.itemsize))
    return numbers


def _with_nulls(result: List[Any], values: ArrowArray) -> List[Any]:
    if values.null_count == 0 or not values.buffers[0]:
        return result
    bits = ctypes.string_at(values.buffers[0], (values.offset + values.length + 7) // 8)
    rows = range(values.offset, values.offset + values.length)
    return [value if bits[row >> 3] >> (row & 7) & 1 else None for row, value in zip(rows, result)]
