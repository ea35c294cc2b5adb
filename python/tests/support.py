"""A little log with a pattern, and what is made of it once a process."""

from __future__ import annotations

import functools
import importlib.util
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, List, Tuple

import recblr

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
Event = Tuple[str, str, datetime]


def log(users: int = 60, seed: int = 1) -> List[Event]:
    """Users go round thirty items, mostly one step at a time."""
    rng = random.Random(seed)
    events = []
    for user in range(users):
        item, time = rng.randrange(30), START + timedelta(seconds=rng.randrange(10**5))
        for _ in range(rng.randrange(8, 20)):
            item = (item + rng.choice([1, 1, 1, 2, 7])) % 30
            time += timedelta(seconds=rng.randrange(60, 7200))
            events.append((f"u{user}", f"sku-{item}", time))
    return events


@functools.cache
def data() -> recblr.Dataset:
    return recblr.Dataset(log())


TINY: Any = {"epochs": 2, "hidden_size": 8, "layers": 1, "threads": 1, "progress": False}


@functools.cache
def model() -> recblr.Model:
    return recblr.train(data(), **TINY)


def needs(*packages: str) -> Callable[[Any], Any]:
    """Skips a test where packages are not installed."""
    import unittest

    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return unittest.skipIf(bool(missing), f"{' and '.join(missing)} not installed")


def python(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program of its own; fails where it fails or prints what Python ignored."""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, **options)
    assert ended.returncode == 0, ended.stderr
    assert "ignored" not in ended.stderr, ended.stderr
    return ended
