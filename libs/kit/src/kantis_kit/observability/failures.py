"""Failures as they may be told: what, where, which rule; never the data that a message of theirs may repeat.

`duplicate key value violates … DETAIL: Key (email)=(…)`, a statement's parameters, a validator's input: libraries put
values into their messages. A log line gets the names and the frames, never a message.
"""

import sys
import traceback
from types import TracebackType

_TELLING = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
_REPEATING = frozenset({"asyncpg", "sqlalchemy", "pydantic", "pydantic_core"})
_MOST_PARTS = 5
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def name_of(error: BaseException) -> str:
    """Return an error's class, those of a group's errors, and, for one of the database, its state and the rule it names."""
    cause = _innermost(error)
    told = [type(error).__name__]
    if cause is not error:
        told.append(type(cause).__name__)
    told += [str(value) for name in _TELLING if (value := getattr(cause, name, None))]
    told += _places(cause)
    if isinstance(error, BaseExceptionGroup):
        told += [name_of(one) for one in error.exceptions[:_MOST_PARTS]]
    return " ".join(dict.fromkeys(told))


def problem_of(error: BaseException) -> str:
    """Return what operators read next to a parked message: its own words, unless a library repeats values in them."""
    root = type(error).__module__.partition(".")[0]
    if root in _REPEATING:
        return name_of(error)
    said = str(error)
    inner = error.__cause__ or error.__context__
    if inner is not None and type(inner).__module__.partition(".")[0] in _REPEATING:
        repeated = str(inner).splitlines()[:1]
        if repeated and repeated[0] and repeated[0] in said:
            return f"{type(error).__name__} from {name_of(inner)}"
    return f"{type(error).__name__}: {said}"[:2000]


def trace_of(error: BaseException) -> str:
    """Return the frames of an error and of what led to it, without their messages."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < _MOST_PARTS:
        frames = "".join(traceback.format_tb(current.__traceback__)).rstrip()
        parts.append(f"{frames}\n{name_of(current)}" if frames else name_of(current))
        if isinstance(current, BaseExceptionGroup):
            parts += [trace_of(one) for one in current.exceptions[:_MOST_PARTS]]
        following = current.__context__ if not current.__suppress_context__ else None
        current = current.__cause__ or following
    return "\nled to\n".join(reversed(parts))


def error_of(exc_info: object) -> BaseException | None:
    """Return the error that a logging call was given: an exception, a triple, or True for the present one."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _innermost(error: BaseException) -> BaseException:
    original = getattr(error, "orig", None)
    if not isinstance(original, BaseException):
        return error
    return original.__cause__ or original


def _places(error: BaseException) -> list[str]:
    errors = getattr(error, "errors", None)
    if type(error).__module__.partition(".")[0] != "pydantic_core" or not callable(errors):
        return []
    found = errors(include_input=False, include_context=False, include_url=False)
    return [f"{one['type']} at {len(one['loc'])}" for one in found[:_MOST_PARTS]]
