"""How the history tells a change: per field the value before and after, and what was there from nothing by itself.

Most of what is told is of people who have just come, so a value that came from nothing is kept alone: half the bytes of
all that is written of them. Lists are always told in pairs, so that nothing is mistaken for one.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_CUSTOM = "custom."


def _nothing(name: str) -> str | None:
    return None if name.startswith(_CUSTOM) else ""


def shortened(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes as they are kept."""
    kept = {}
    for name, (before, after) in told.items():
        is_new = before == _nothing(name) and type(before) is type(_nothing(name))
        is_alone = is_new and after is not None and not isinstance(after, list | tuple)
        kept[name] = after if is_alone else [before, after]
    return kept


def in_full(kept: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return changes with the value before and after of each field."""
    return {
        name: one if isinstance(one, list) else [_nothing(name), one] for name, one in kept.items()
    }


class Changes(TypeDecorator[dict[str, Any]]):
    """A column of changes: written as they are kept, read in full."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(
        self, value: Mapping[str, Any] | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        """Shorten what is written."""
        return None if value is None else shortened(value)

    def process_result_value(
        self, value: Mapping[str, Any] | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        """Fill in what is read."""
        return None if value is None else in_full(value)
