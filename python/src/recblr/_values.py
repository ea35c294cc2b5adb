"""Ids and times, as people write them in Python."""

from __future__ import annotations

import datetime
import json
import operator
from typing import Any, List, Mapping, Sequence, Union

from ._columns import EPOCH, plain_value
from ._errors import UsageError

Id = Union[str, int]
"""A user or an item: a string, or an integer, which is its digits. NumPy's scalars are fine."""

Time = Union[datetime.datetime, float, str]
"""A moment: a `datetime` (without a zone it is UTC), seconds since 1970, or text such as "2026-05-01T12:30:00Z"."""


def id_text(value: Any) -> str:
    """The text of an id. Raises `UsageError` for anything that is neither a string nor an integer."""
    if hasattr(value, "as_py"):  # of pyarrow
        value = value.as_py()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise UsageError(f"{value!r} is no id: ids are strings or integers")
    return str(operator.index(value))


def id_texts(values: Any) -> List[str]:
    """The texts of one id, or of several."""
    is_one = isinstance(values, (str, bytes, bytearray)) or not hasattr(values, "__iter__")
    return [id_text(values)] if is_one else [id_text(value) for value in values]


def nanoseconds(time: Any) -> int:
    """A moment in nanoseconds since 1970. Raises `UsageError` where it is none."""
    if getattr(getattr(time, "dtype", None), "kind", "") == "M":
        if time != time:  # NaT
            raise UsageError(f"{time!r} is no time")
        return int(time.astype("datetime64[ns]").astype("int64"))
    time = plain_value(time)
    if isinstance(time, str):
        try:
            time = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
        except ValueError:
            raise UsageError(f"{time!r} is no time, such as 2026-05-01T12:30:00Z") from None
    if isinstance(time, datetime.datetime):
        own: int = getattr(time, "nanosecond", 0)  # of pandas
        since = (time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)) - EPOCH
        return _in_range((since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000 + own, time)
    if isinstance(time, int) and not isinstance(time, bool):
        return _in_range(time * 10**9, time)
    if isinstance(time, float) and abs(time) < 9.3e9:
        return _in_range(round(time * 10**9), time)
    raise UsageError(f"{time!r} is no time: give a datetime, seconds since 1970, or text such as 2026-05-01T12:30:00Z")


def _in_range(value: int, time: object) -> int:
    if not -(2**63) <= value < 2**63:
        raise UsageError(f"{time!r} is no time between the years 1678 and 2261")
    return value


def settings_text(settings: Mapping[str, object]) -> str:
    """The settings that are given (not None) as the library reads them. Raises `UsageError` for a value that is none."""
    given = {name: value for name, value in settings.items() if value is not None}
    try:
        return json.dumps(given, default=operator.index, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"a value of the settings cannot be: {error}") from None


def wheres(where: Mapping[str, Union[str, Sequence[str]]]) -> List[List[str]]:
    """Pairs of a column and a value that it may have. Raises `UsageError` for anything else than a dictionary."""
    if not isinstance(where, Mapping):
        raise UsageError(f'where is {where!r}: give a dictionary, such as {{"type": "purchase"}}')
    return [[column, value] for column, values in where.items() for value in id_texts(values)]
