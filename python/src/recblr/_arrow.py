"""The Arrow C data interface: its structs, and capsules around streams (https://arrow.apache.org/docs/format/CDataInterface.html)."""

from __future__ import annotations

import ctypes
from collections import deque
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from typing import Any, Deque, Dict

NULLABLE = 2


class ArrowSchema(ctypes.Structure):
    """The type of an array, or the columns of a table."""


class ArrowArray(ctypes.Structure):
    """The values of an array, or a batch of rows of a table."""


class ArrowArrayStream(ctypes.Structure):
    """Batches, one after the other."""


RELEASE_SCHEMA = CFUNCTYPE(None, POINTER(ArrowSchema))
RELEASE_ARRAY = CFUNCTYPE(None, POINTER(ArrowArray))
RELEASE_STREAM = CFUNCTYPE(None, POINTER(ArrowArrayStream))
GET_SCHEMA = CFUNCTYPE(c_int, POINTER(ArrowArrayStream), POINTER(ArrowSchema))
GET_NEXT = CFUNCTYPE(c_int, POINTER(ArrowArrayStream), POINTER(ArrowArray))
GET_LAST_ERROR = CFUNCTYPE(c_void_p, POINTER(ArrowArrayStream))

ArrowSchema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_char_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(ArrowSchema))),
    ("dictionary", POINTER(ArrowSchema)),
    ("release", RELEASE_SCHEMA),
    ("private_data", c_void_p),
]
ArrowArray._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(ArrowArray))),
    ("dictionary", POINTER(ArrowArray)),
    ("release", RELEASE_ARRAY),
    ("private_data", c_void_p),
]
ArrowArrayStream._fields_ = [
    ("get_schema", GET_SCHEMA),
    ("get_next", GET_NEXT),
    ("get_last_error", GET_LAST_ERROR),
    ("release", RELEASE_STREAM),
    ("private_data", c_void_p),
]

_STREAM_NAME = b"arrow_array_stream"
_python = ctypes.pythonapi
_DESTRUCTOR = ctypes.PYFUNCTYPE(None, c_void_p)

# The capsule as an address: its destructor runs when its count of references is already 0.
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", _python))
_pointer_of_dying = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", _python))
_pointer_of = ctypes.PYFUNCTYPE(c_void_p, ctypes.py_object, c_char_p)(("PyCapsule_GetPointer", _python))
_is_valid = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_char_p)(("PyCapsule_IsValid", _python))

_owned: Dict[int, ArrowArrayStream] = {}
"""The structs that capsules point to, by address."""


# Names are bound as defaults: at the end of a program a module's may be gone before its last capsule.
def release(stream: ArrowArrayStream, address: Any = ctypes.byref) -> None:
    """Releases a stream unless somebody has taken it."""
    if stream.release:
        stream.release(address(stream))


def _destroy(capsule: int, pointer_of: Any = _pointer_of_dying, owned: Any = _owned, free: Any = release) -> None:
    stream = owned.pop(pointer_of(capsule, b"arrow_array_stream"), None)
    if stream is not None:
        free(stream)


_destructor = _DESTRUCTOR(_destroy)
# They have to outlive every capsule, so they are never freed.
for _kept in (_destructor, _STREAM_NAME):
    _python.Py_IncRef(ctypes.py_object(_kept))


def capsule_of(stream: ArrowArrayStream) -> object:
    """A capsule that owns `stream`: whoever takes the stream out becomes its owner, and otherwise it goes with the capsule."""
    address = ctypes.addressof(stream)
    _owned[address] = stream
    return _new_capsule(address, _STREAM_NAME, ctypes.cast(_destructor, c_void_p))


_lent: Deque[object] = deque(maxlen=16)


def lent(stream: ArrowArrayStream) -> object:
    """A capsule for another library, which is held here too until some more have been lent.

    A library may drop its capsule just before it raises an error, which a destructor that runs Python would lose.
    """
    capsule = capsule_of(stream)
    _lent.append(capsule)
    return capsule


def stream_in(capsule: object) -> Any:
    """The stream in a capsule, as a pointer that is valid as long as the capsule. Raises `TypeError` where it is no such capsule."""
    if not _is_valid(capsule, _STREAM_NAME):
        raise TypeError("__arrow_c_stream__ did not return a capsule of an Arrow stream")
    return ctypes.cast(_pointer_of(capsule, _STREAM_NAME), POINTER(ArrowArrayStream))
