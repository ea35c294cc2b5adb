"""An Arrow stream of columns that Python holds: what other libraries do in C, done with ctypes."""

from __future__ import annotations

import ctypes
import itertools
from ctypes import POINTER, c_void_p, pointer
from typing import Any, Dict, Iterator, List, Mapping, Sequence

from ._arrow import (
    GET_LAST_ERROR,
    GET_NEXT,
    GET_SCHEMA,
    NULLABLE,
    RELEASE_ARRAY,
    RELEASE_SCHEMA,
    RELEASE_STREAM,
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
)
from ._columns import Column, column, encoded

ROWS_OF_A_BATCH = 1 << 20

_kept: Dict[int, object] = {}
"""What exported structs refer to, by the number in their private data, until they are released."""
_numbers = itertools.count(1)


def _keep(value: object) -> int:
    number = next(_numbers)
    _kept[number] = value
    return number


def kept_count() -> int:
    """How many exported structs nobody has released: 0 when no call is under way."""
    return len(_kept)


def _let_go(struct: Any) -> None:
    """Releases the children that nobody has taken, and then what the struct itself refers to."""
    for number in range(struct.n_children):
        child = struct.children[number]
        if child.contents.release:
            child.contents.release(child)
    _kept.pop(struct.private_data, None)


@RELEASE_SCHEMA  # type: ignore[untyped-decorator,unused-ignore]
def _release_schema(schema: Any) -> None:
    _let_go(schema.contents)
    schema.contents.release = RELEASE_SCHEMA()


@RELEASE_ARRAY  # type: ignore[untyped-decorator,unused-ignore]
def _release_array(values: Any) -> None:
    _let_go(values.contents)
    values.contents.release = RELEASE_ARRAY()


@RELEASE_STREAM  # type: ignore[untyped-decorator,unused-ignore]
def _release_stream(stream: Any) -> None:
    _kept.pop(stream.contents.private_data, None)
    stream.contents.release = RELEASE_STREAM()


class _Source:
    """Batches that are made as they are asked for, and what is said of the error that ended them."""

    def __init__(self, batches: Iterator[List[Column]], names: List[bytes]) -> None:
        # The first says what the columns are.
        self.first = next(batches)
        self.batches = itertools.chain([self.first], batches)
        self.names = names
        self.message = b""


def _source(stream: Any) -> _Source:
    source = _kept[stream.contents.private_data]
    assert isinstance(source, _Source)
    return source


@GET_SCHEMA  # type: ignore[untyped-decorator,unused-ignore]
def _get_schema(stream: Any, out: Any) -> int:
    source = _source(stream)
    _fill_schema(out.contents, b"+s", b"", [_schema(part.format, name) for part, name in zip(source.first, source.names)])
    return 0


@GET_NEXT  # type: ignore[untyped-decorator,unused-ignore]
def _get_next(stream: Any, out: Any) -> int:
    source = _source(stream)
    try:
        columns = next(source.batches, None)
        if columns is None:
            out.contents.release = RELEASE_ARRAY()
            return 0
        for name, part, expected in zip(source.names, columns, source.first):
            if part.format != expected.format and part.null_count < part.length:
                raise TypeError(f"the column '{name.decode()}' changes its kind on the way")
        children = [_array(part.length, part.null_count, part.buffers, [], part.kept) for part in columns]
        _fill_array(out.contents, columns[0].length, 0, [None], children, None)
        return 0
    except BaseException as error:  # whatever it is, C code is the caller
        source.message = str(error).encode("utf-8", "replace")
        return 22


@GET_LAST_ERROR  # type: ignore[untyped-decorator,unused-ignore]
def _get_last_error(stream: Any) -> int | None:
    message = _source(stream).message
    return ctypes.cast(ctypes.c_char_p(message), c_void_p).value if message else None


def _schema(form: bytes, name: bytes) -> ArrowSchema:
    schema = ArrowSchema()
    _fill_schema(schema, form, name, [])
    return schema


def _fill_schema(schema: ArrowSchema, form: bytes, name: bytes, children: List[ArrowSchema]) -> None:
    pointers = (POINTER(ArrowSchema) * len(children))(*map(pointer, children))
    schema.format, schema.name, schema.metadata = form, name, None
    schema.flags, schema.n_children = NULLABLE, len(children)
    schema.children = ctypes.cast(pointers, POINTER(POINTER(ArrowSchema)))
    schema.dictionary, schema.release = None, _release_schema
    schema.private_data = _keep((pointers, children, form, name))


def _array(length: int, null_count: int, buffers: Sequence[int | None], children: List[ArrowArray], kept: object) -> ArrowArray:
    values = ArrowArray()
    _fill_array(values, length, null_count, buffers, children, kept)
    return values


def _fill_array(
    values: ArrowArray,
    length: int,
    null_count: int,
    buffers: Sequence[int | None],
    children: List[ArrowArray],
    kept: object,
) -> None:
    addresses = (c_void_p * len(buffers))(*buffers)
    pointers = (POINTER(ArrowArray) * len(children))(*map(pointer, children))
    values.length, values.null_count, values.offset = length, null_count, 0
    values.n_buffers, values.n_children = len(buffers), len(children)
    values.buffers = ctypes.cast(addresses, POINTER(c_void_p))
    values.children = ctypes.cast(pointers, POINTER(POINTER(ArrowArray)))
    values.dictionary, values.release = None, _release_array
    values.private_data = _keep((addresses, pointers, children, kept))


def stream_of_columns(columns: Mapping[str, Sequence[Any]]) -> ArrowArrayStream:
    """A stream of batches of columns of equal lengths, at least one. The caller releases it."""
    rows = len(next(iter(columns.values())))

    def batches() -> Iterator[List[Column]]:
        for start in range(0, max(rows, 1), ROWS_OF_A_BATCH):
            end = start + ROWS_OF_A_BATCH
            yield [column(name, values[start:end]) for name, values in columns.items()]

    stream = ArrowArrayStream(_get_schema, _get_next, _get_last_error, _release_stream)
    stream.private_data = _keep(_Source(batches(), [encoded(name) for name in columns]))
    return stream
