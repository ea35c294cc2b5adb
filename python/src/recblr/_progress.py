"""Shows how far a training is: a bar on a terminal and in a notebook, lines elsewhere."""

from __future__ import annotations

import html
import shutil
import sys
import time
from typing import Any, Callable, List, Protocol, Union

from ._run import Progress, Report, silent

ProgressOption = Union[bool, Callable[[Progress], None]]
"""True shows a bar, False nothing, and a function is called with each `Progress` that it has time for, on the thread of the caller."""


class Display(Protocol):
    """Shows reports until it is closed."""

    def __call__(self, report: Report) -> None: ...

    def close(self) -> None: ...


def display_for(option: ProgressOption) -> Display:
    """The display that fits where the program runs."""
    if callable(option):
        return _ForFunction(option)
    if not option:
        return _ForFunction(silent)
    notebook = _notebook_display()
    if notebook is not None:
        return _ForNotebook(notebook)
    return _ForTerminal() if sys.stderr is not None and sys.stderr.isatty() else _ForLines()


def _bar(now: Progress, width: int) -> str:
    full = int(width * now.step / max(1, now.steps))
    return (
        f"Epoch {now.epoch}/{now.epochs} {'█' * full}{'░' * (width - full)} loss {now.loss:.4f}  "
        f"{now.events_per_second:,.0f} events/s"
    )


class _Pace:
    """Says what is drawn: one report in a tenth of a second, and the last of each epoch."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self, report: Progress) -> bool:
        now = time.monotonic()
        if now < self._next and report.step < report.steps:
            return False
        self._next = now + 0.1
        return True


class _ForFunction:
    def __init__(self, function: Callable[[Progress], None]) -> None:
        self._function = function

    def __call__(self, report: Report) -> None:
        if isinstance(report, Progress):
            self._function(report)

    def close(self) -> None:
        """Nothing was opened."""


class _ForLines:
    def __call__(self, report: Report) -> None:
        if isinstance(report, str) and sys.stderr is not None:
            print(report.rstrip("\n"), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Every line is whole already."""


class _ForTerminal:
    _CLEAR = "\r\x1b[K"

    def __init__(self) -> None:
        self._pace = _Pace()

    def __call__(self, report: Report) -> None:
        if isinstance(report, str):
            self._write(self._CLEAR + report.rstrip("\n") + "\n")
        elif self._pace.is_due(report):
            self._write(self._CLEAR + _bar(report, 24)[: shutil.get_terminal_size().columns - 1])

    def close(self) -> None:
        self._write(self._CLEAR)

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


class _ForNotebook:
    """One output that changes: the bar, and below it the lines."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._lines: List[str] = []
        self._pace = _Pace()
        self._handle = display(self._content(""), raw=True, display_id=True)

    def __call__(self, report: Report) -> None:
        if isinstance(report, str):
            self._lines.append(report.rstrip("\n"))
            self._show("")
        elif self._pace.is_due(report):
            self._show(
                f'<progress value="{report.fraction:.4f}" max="1" style="width: 16em"></progress> '
                f"epoch {report.epoch} of {report.epochs}, loss {report.loss:.4f}, {report.events_per_second:,.0f} events/s"
            )

    def close(self) -> None:
        self._show("")

    def _show(self, bar: str) -> None:
        self._handle.update(self._content(bar), raw=True)

    def _content(self, bar: str) -> Any:
        lines = "\n".join(self._lines)
        return {"text/plain": lines, "text/html": f"{bar}<pre>{html.escape(lines)}</pre>"}


def _notebook_display() -> Any:
    """IPython's `display` where this runs in a notebook's kernel, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display
