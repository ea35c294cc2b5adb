"""Sessions: one user, live."""

from __future__ import annotations

import ctypes
import json
import threading
from ctypes import c_float, c_int64, c_void_p
from typing import TYPE_CHECKING, Any, List, NamedTuple, Optional, Tuple

from ._errors import UsageError
from ._library import Handle, Text, call, lib, taken_bytes
from ._values import Id, Time, id_text, nanoseconds

if TYPE_CHECKING:
    from ._model import Model


class Scored(NamedTuple):
    """An item that may come next."""

    item: str
    score: float
    """NaN where a session without events gets the most popular items."""
    title: Optional[str]


class Term(NamedTuple):
    """What one event adds to a score."""

    item: str
    contribution: float
    score_without: Optional[float]
    """The score without the event, for the three terms that weigh most."""


class Explanation(NamedTuple):
    """Why an item has its score: contributions, `earlier`, `constant`, `repeats` and `transitions` add up to it."""

    score: float
    terms: List[Term]
    """One for each of the last 1,024 events, the last event first."""
    earlier: float
    """Of all events before those."""
    constant: float
    """What any history has."""
    repeats: float
    """Of the repeat-aware head."""
    transitions: float
    """Of the transition head."""


class Session:
    """One user, live: an event moves a state of some kilobytes by one step, whatever the number of events before.

    Made by `Model.session()`. Threads take turns on one session; different sessions run at the same time. `pickle` keeps the bytes of
    `to_bytes`, with the path of the model's folder.
    """

    def __init__(self, model: Model, _handle: Optional[Handle] = None) -> None:
        self.model = model
        self._turn = threading.Lock()
        if _handle is None:
            _handle = Handle(lib.recblr_session_free)
            call(lib.recblr_session_new, model._handle.pointer, _handle.place)
        self._handle = _handle

    def push(self, item: Id, time: Optional[Time] = None) -> None:
        """An event: the item that the user has just chosen, and when, for a model that was trained with `time=True` (others do not look at it). O(D·H), whatever the history.

        Raises:
            DataError: the model does not know the item; nothing has changed.
            UsageError: that is no id, or no time.
        """
        with self._turn:
            call(lib.recblr_session_push, self._handle.pointer, Text.of(id_text(item)), _pointer(time))

    def top(self, k: int = 10, *, exclude_seen: bool = True, time: Optional[Time] = None) -> List[Scored]:
        """The `k` best next items, best first. O(V·D). Without events they are the most popular, and their scores NaN.

        Args:
            k: how many, at most.
            exclude_seen: leave out what the session has.
            time: when it is asked, for a model with time; left out, at the last event.

        Raises:
            UsageError: `k` is not positive, or the time cannot be.
        """
        if k < 1:
            raise UsageError(f"k is {k}: at least one item has to be asked for")
        k = min(k, len(self.model))
        items, scores, count = (c_int64 * k)(), (c_float * k)(), c_int64()
        with self._turn:
            call(
                lib.recblr_session_top,
                self._handle.pointer,
                k,
                exclude_seen,
                _pointer(time),
                items,
                scores,
                ctypes.byref(count),
            )
        named = self.model._named
        found = count.value
        return [Scored(item, score, title) for (item, title), score in zip(map(named, items[:found]), scores)]

    def explain(self, item: Id, time: Optional[Time] = None) -> Explanation:
        """Why an item has its score after these events. O(events · D·H).

        Raises:
            DataError: the model does not know the item, or there are no events.
            UsageError: that is no id, or no time.
        """
        output = c_void_p()
        with self._turn:
            call(
                lib.recblr_session_explain,
                self._handle.pointer,
                Text.of(id_text(item)),
                _pointer(time),
                ctypes.byref(output),
            )
        return _explanation(json.loads(taken_bytes(output)))

    def fork(self) -> Session:
        """A copy that goes its own way. O(state)."""
        handle = Handle(lib.recblr_session_free)
        with self._turn:
            call(lib.recblr_session_fork, self._handle.pointer, handle.place)
        return Session(self.model, handle)

    def to_bytes(self) -> bytes:
        """The session, for the same model only: some kilobytes, and 4 bytes an event."""
        output = c_void_p()
        with self._turn:
            call(lib.recblr_session_save, self._handle.pointer, ctypes.byref(output))
        return taken_bytes(output)

    @classmethod
    def from_bytes(cls, model: Model, data: bytes) -> Session:
        """The session of such bytes.

        Raises:
            DataError: they are damaged, or of another model.
            UsageError: `data` are no bytes.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise UsageError(f"a {type(data).__name__} is no session: give what to_bytes() returned")
        handle = Handle(lib.recblr_session_free)
        call(lib.recblr_session_restore, model._handle.pointer, Text.of(bytes(data)), handle.place)
        return cls(model, handle)

    def __len__(self) -> int:
        """The number of events."""
        with self._turn:
            return int(lib.recblr_session_count(self._handle.pointer))

    def __reduce__(self) -> Tuple[Any, ...]:
        return (Session.from_bytes, (self.model, self.to_bytes()))

    def __repr__(self) -> str:
        return f"<recblr.Session: {len(self):,} events>"


def _pointer(time: Optional[Time]) -> Any:
    return None if time is None else ctypes.byref(c_int64(nanoseconds(time)))


def _explanation(fields: Any) -> Explanation:
    terms = [Term(term["item"], term["contribution"], term.get("scoreWithout")) for term in fields["terms"]]
    rest = [float(fields.get(name, 0)) for name in ("earlier", "constant", "repeats", "transitions")]
    return Explanation(fields["score"], terms, *rest)
