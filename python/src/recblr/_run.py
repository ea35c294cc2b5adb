"""Long calls of the library: on a thread of their own, observed and stopped from the caller's."""

from __future__ import annotations

import ctypes
import sys
import threading
import warnings
from ctypes import c_void_p
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Callable, Generic, List, Optional, Sequence, TypeVar, Union

from ._errors import Interrupted, RecBLRWarning
from ._library import IS_STOPPED, MESSAGE, PROGRESS, Observer, Text, call, lib, taken_bytes

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """How far a training is."""

    epoch: int
    """From 1."""
    epochs: int
    step: int
    """Of this epoch."""
    steps: int
    loss: float
    """Mean of the epoch so far, in nats."""
    events_per_second: float

    @property
    def fraction(self) -> float:
        """Of all epochs, from 0 to 1."""
        return (self.epoch - 1 + self.step / max(1, self.steps)) / max(1, self.epochs)


Report = Union[str, Progress]
"""What a call reports: a line, as the command prints it on standard error, or how far it is."""


_MOST_WAITING = 1000


class _Outcome(Generic[Result]):
    result: Optional[Result] = None
    error: Optional[BaseException] = None


def observed(work: Callable[[Any], Result], show: Callable[[Report], None]) -> Result:
    """Runs `work` with an observer for the library, and `show` with each report, on this thread. Warnings become Python's.

    The call has a thread of its own, so that this one can take signals: a handler runs at once, and its exception never in a
    callback from C. An exception here, of Ctrl-C or of `show`, stops the call; once it has ended, the exception goes on. A second Ctrl-C does
    not wait for that.

    Raises:
        Interrupted: after Ctrl-C, where the call has stopped for it.
    """
    reports: SimpleQueue[Optional[Report]] = SimpleQueue()
    stop = threading.Event()
    outcome: _Outcome[Result] = _Outcome()

    def progress(_: Any, fields: Any) -> None:
        now = fields.contents
        # Whoever shows them more slowly than they come misses some, but never the last of an epoch.
        if reports.qsize() < _MOST_WAITING or now.step == now.steps:
            reports.put(Progress(now.epoch, now.epochs, now.step, now.steps, now.loss, now.events_per_second))

    observer = Observer(
        None,
        MESSAGE(lambda _, text: reports.put(text.text())),
        PROGRESS(progress),
        IS_STOPPED(lambda _: stop.is_set()),
    )

    def run() -> None:
        try:
            outcome.result = work(ctypes.byref(observer))
        except BaseException as error:
            outcome.error = error
        finally:
            reports.put(None)

    thread = threading.Thread(target=run, name="recblr", daemon=True)
    try:
        thread.start()
        report = reports.get()
        while report is not None:
            _tell(report, show)
            report = reports.get()
        thread.join()
    except BaseException as reason:
        stop.set()
        if thread.ident is not None:
            thread.join()
        if isinstance(reason, KeyboardInterrupt) and isinstance(outcome.error, Interrupted):
            raise outcome.error from None
        if outcome.error is not None and not isinstance(outcome.error, Interrupted):
            raise reason from outcome.error  # it had failed by itself
        raise
    if outcome.error is not None:
        raise outcome.error
    return outcome.result  # type: ignore[return-value]


_WARNING = "recblr: warning: "


def _tell(report: Report, show: Callable[[Report], None]) -> None:
    if isinstance(report, str) and report.startswith(_WARNING):
        warnings.warn(report[len(_WARNING) :].rstrip("\n"), RecBLRWarning, stacklevel=_frames_of_package())
    else:
        show(report)


def _frames_of_package() -> int:
    """As `stacklevel` of a warning: the number of callers, from here on, that belong to this package."""
    frame, count = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("recblr"):
        frame, count = frame.f_back, count + 1
    return count


def silent(_: Report) -> None:
    """Shows nothing."""


def run(arguments: Sequence[str], show: Callable[[Report], None] = silent) -> str:
    """Runs a command of the program, such as ["inspect", "models/shop", "--json"], and returns what it prints on standard output."""
    texts = (Text * len(arguments))(*map(Text.of, arguments))

    def work(observer: Any) -> str:
        output = c_void_p()
        call(lib.recblr_run, texts, len(texts), observer, ctypes.byref(output))
        return taken_bytes(output).decode()

    return observed(work, show)


def options(**values: object) -> List[str]:
    """Keywords as the command's options: `max_length=5` is --max-length=5, `validation=True` --validation.

    None and False leave an option out, but of those that are True or False to the command (`INVERTIBLE`) False is --no-….
    """
    arguments: List[str] = []
    for keyword, value in values.items():
        name = keyword.rstrip("_").replace("_", "-")
        if value is True:
            arguments.append(f"--{name}")
        elif value is False and keyword in INVERTIBLE:
            arguments.append(f"--no-{name}")
        elif value is not None and value is not False:
            arguments.append(f"--{name}={value}")
    return arguments


INVERTIBLE = frozenset({"repeat_aware", "transitions", "header", "exclude_seen"})
