"""The command's sentences in Python's words."""

from __future__ import annotations

import re
from typing import Container, Dict, Tuple, TypeVar

from ._errors import RecBLRError
from ._run import INVERTIBLE

Error = TypeVar("Error", bound=RecBLRError)

_FLAGS = {
    "file_order",
    "recurrence_only",
    "restart",
    "resume",
    "skip_bad_lines",
    "skip_bad_rows",
    "time",
    "without_decay_ring",
    "without_feed_forward",
    *INVERTIBLE,
}
_CHOICES: Dict[str, Tuple[str, ...]] = {
    "preset": ("fast", "balanced", "best"),
    "mixer": ("bdlru", "attention", "lru"),
    "schedule": ("cosine", "constant"),
    "objective": ("every-position", "last-position"),
    "loss": ("full", "sampled", "bpr"),
    "split": ("leave-one-out", "global-time", "stream", "session", "none"),
    "precision": ("float32", "tf32", "bfloat16"),
    "dedupe": ("exact", "consecutive"),
}


def translated(error: Error, keywords: Container[str]) -> Error:
    """The error with the command's options as keywords."""
    return type(error)(in_keywords(str(error), keywords))


def in_keywords(message: str, keywords: Container[str]) -> str:
    """A sentence of the command with those of its options that are among `keywords` as such: --epochs is epochs=, --resume is resume=True."""

    def setting(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"{name}=True" if name in _FLAGS and name in keywords else name

    def keyword(match: re.Match[str]) -> str:
        option, value = match.group(1).replace("-", "_"), match.group(2)
        is_no = option.startswith("no_") and option[3:] in INVERTIBLE
        name = option[3:] if is_no else "from_" if option == "from" else option
        if name not in keywords:
            return match.group(0)
        if name in _FLAGS:
            return f"{name}={not is_no}" + (f" {value}" if value else "")
        if value is None or value.isupper():
            return f"{name}={value or ''}"
        return f'{name}="{value}"' if value in _CHOICES.get(name, ()) else f"{name}= {value}"

    message = re.sub(r"--([a-z]+(?:-[a-z]+)*)(?: ([a-z-]+|[A-Z]+)\b)?", keyword, message)
    # The library's settings have the keywords' names; only flags are told from other words.
    return re.sub(r"(?<![\w.])([a-z]+(?:_[a-z]+)+)(?![\w=.])", setting, message)
