"""What goes wrong, as one family of exceptions that carry the words of the `recblr` command."""

from __future__ import annotations

from typing import ClassVar, Dict, Type


class RecBLRError(Exception):
    """Every error of this package; `str(error)` is a sentence for people.

    `code` is the exit code of the command for the same error, after `sysexits`.
    """

    code: ClassVar[int] = 70


class UsageError(RecBLRError, ValueError):
    """Arguments or settings that cannot be."""

    code = 64


class DataError(RecBLRError, ValueError):
    """Input that is not what it should be: a damaged file, a column that is missing, an item that a model does not know."""

    code = 65


class NotFoundError(RecBLRError, FileNotFoundError):
    """Input that is not there."""

    code = 66


class UnavailableError(RecBLRError):
    """A device that is not here, or work that cannot be done in a forked process."""

    code = 69


class InternalError(RecBLRError):
    """An error of the library itself."""

    code = 70


class SystemLimitError(RecBLRError, OSError):
    """A limit of the system."""

    code = 71


class WriteError(RecBLRError, OSError):
    """Output that cannot be written, or a folder that is not recblr's to replace."""

    code = 73


class Interrupted(RecBLRError, KeyboardInterrupt):
    """Stopped by Ctrl-C; of a training the message says how to go on. It is a `KeyboardInterrupt`, too."""

    code = 75


class RecBLRWarning(UserWarning):
    """What the command prints as a warning."""


_OF_CODE: Dict[int, Type[RecBLRError]] = {
    kind.code: kind
    for kind in (UsageError, DataError, NotFoundError, UnavailableError, InternalError, SystemLimitError, WriteError, Interrupted)
}


def error_of(code: int, message: str) -> RecBLRError:
    """The exception for a code and a sentence of the library."""
    # Of a usage error the first paragraph: then comes the command's synopsis.
    sentence = message.partition("\nUsage: ")[0].strip()
    return _OF_CODE.get(code, InternalError)(sentence)
