"""The shared library: its functions as recblr.h declares them, and how their errors become exceptions."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Union

from ._arrow import ArrowArrayStream
from ._errors import UsageError, error_of

ABI = 1
"""RECBLR_ABI of the recblr.h that this package was written for."""

NATIVE = Path(__file__).parent / "_native"


class Text(ctypes.Structure):
    """recblr_text for the library: refers to the bytes that it was made from and keeps them."""

    _fields_ = [("bytes", c_char_p), ("length", c_size_t)]

    @classmethod
    def of(cls, text: Union[str, bytes]) -> Text:
        """Raises `UsageError` for a text that is none; bytes of names of files that are none pass, as Python has them."""
        try:
            encoded = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise UsageError(f"{text!r} holds half a character") from None
        return cls(encoded, len(encoded))


class GivenText(ctypes.Structure):
    """recblr_text from the library: lasts as long as the object that it was asked of."""

    _fields_ = [("bytes", c_void_p), ("length", c_size_t)]

    def data(self) -> bytes:
        return ctypes.string_at(self.bytes, self.length) if self.length else b""

    def text(self) -> str:
        return self.data().decode("utf-8", "replace")


class ProgressFields(ctypes.Structure):
    """recblr_progress."""

    _fields_ = [
        ("epoch", c_int32),
        ("epochs", c_int32),
        ("step", c_int64),
        ("steps", c_int64),
        ("loss", c_double),
        ("events_per_second", c_double),
    ]


MESSAGE = ctypes.CFUNCTYPE(None, c_void_p, GivenText)
PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, POINTER(ProgressFields))
IS_STOPPED = ctypes.CFUNCTYPE(c_int32, c_void_p)


class Observer(ctypes.Structure):
    """recblr_observer."""

    _fields_ = [("context", c_void_p), ("message", MESSAGE), ("progress", PROGRESS), ("is_stopped", IS_STOPPED)]


_STREAM = POINTER(ArrowArrayStream)
_OUT = POINTER(c_void_p)
_TIME = POINTER(c_int64)

# name: (result, parameters); where the result is a status, the last parameter is the error.
_STATUS = c_int32
_FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "recblr_version": (c_char_p, []),
    "recblr_abi": (c_uint32, []),
    "recblr_error_message": (GivenText, [c_void_p]),
    "recblr_error_free": (None, [c_void_p]),
    "recblr_bytes_text": (GivenText, [c_void_p]),
    "recblr_bytes_free": (None, [c_void_p]),
    "recblr_run": (_STATUS, [POINTER(Text), c_size_t, POINTER(Observer), _OUT, _OUT]),
    "recblr_dataset_open": (_STATUS, [Text, _OUT, _OUT]),
    "recblr_dataset_read": (_STATUS, [_STREAM, Text, Text, POINTER(Observer), _OUT, _OUT]),
    "recblr_dataset_events": (_STATUS, [c_void_p, _STREAM, _OUT]),
    "recblr_dataset_free": (None, [c_void_p]),
    "recblr_model_open": (_STATUS, [Text, _OUT, _OUT]),
    "recblr_model_item_count": (c_int64, [c_void_p]),
    "recblr_model_item": (GivenText, [c_void_p, c_int64]),
    "recblr_model_title": (GivenText, [c_void_p, c_int64]),
    "recblr_model_find": (c_int64, [c_void_p, Text]),
    "recblr_model_vectors": (_STATUS, [c_void_p, _STREAM, _OUT]),
    "recblr_model_recommend": (_STATUS, [c_void_p, c_void_p, _STREAM, Text, _STREAM, _OUT]),
    "recblr_model_free": (None, [c_void_p]),
    "recblr_session_new": (_STATUS, [c_void_p, _OUT, _OUT]),
    "recblr_session_fork": (_STATUS, [c_void_p, _OUT, _OUT]),
    "recblr_session_push": (_STATUS, [c_void_p, Text, _TIME, _OUT]),
    "recblr_session_count": (c_int64, [c_void_p]),
    "recblr_session_top": (
        _STATUS,
        [c_void_p, c_int64, c_int32, _TIME, POINTER(c_int64), POINTER(c_float), _TIME, _OUT],
    ),
    "recblr_session_explain": (_STATUS, [c_void_p, Text, _TIME, _OUT, _OUT]),
    "recblr_session_save": (_STATUS, [c_void_p, _OUT, _OUT]),
    "recblr_session_restore": (_STATUS, [c_void_p, Text, _OUT, _OUT]),
    "recblr_session_free": (None, [c_void_p]),
}


def _load(path: Path) -> ctypes.CDLL:
    """Opens the library. Raises `ImportError` where this system cannot."""
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(
            f"recblr: its library cannot be loaded: {error}. It is for Linux on the kind of processor, and with a C library (glibc) as "
            "new, as the name of the wheel says; Alpine's C library (musl) is another."
        ) from None


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    library.recblr_abi.restype = c_uint32
    found = library.recblr_abi()
    if found != ABI:
        raise ImportError(
            f"recblr: the library's interface is number {found}, and this package is for number {ABI}: install it anew"
        )
    for name, (result, parameters) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters
    return library


lib = _declare(_load(NATIVE / "libRecBLR.so"))


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function that returns a status and takes an error last. Raises the error, a `RecBLRError`."""
    error = c_void_p()
    code = function(*arguments, ctypes.byref(error))
    if code:
        raise _taken_error(code, error)


def _taken_error(code: int, error: c_void_p) -> Exception:
    try:
        return error_of(code, lib.recblr_error_message(error).text())
    finally:
        lib.recblr_error_free(error)


def taken_bytes(handle: c_void_p) -> bytes:
    """What a recblr_bytes holds, which is freed."""
    try:
        given: GivenText = lib.recblr_bytes_text(handle)
        return given.data()
    finally:
        lib.recblr_bytes_free(handle)


class Handle:
    """An object of the library, freed with this one."""

    def __init__(self, free: Callable[[c_void_p], None]) -> None:
        self.pointer = c_void_p()
        self._free = free

    @property
    def place(self) -> Any:
        """Where a function puts the object."""
        return ctypes.byref(self.pointer)

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)


def version() -> str:
    """The version of the library."""
    text: bytes = lib.recblr_version()
    return text.decode()
