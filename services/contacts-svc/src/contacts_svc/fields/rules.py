"""What a declared field may hold: each value is read once, into one spelling."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Protocol

from contacts_svc.national import national_number_in, read_national_number

MAX_TEXT = 2_000
TEXT_LENGTH = 200
"""The longest text of a field that sets no limit of its own."""
DIGITS = 15
MASK = "••••"
"""What is shown in the place of an identity number."""
Value = str | int | bool | list[str]
"""A value as it is kept and shown."""
_DAY = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_TRUE = frozenset({"true", "1", "yes", "ja", "kyllä", "x"})
_FALSE = frozenset({"false", "0", "no", "nei", "nej", "ei"})


class FieldKind(StrEnum):
    """What a declared field holds."""

    TEXT = "text"
    NUMBER = "number"
    """A whole number."""
    DECIMAL = "decimal"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"
    """Several of the choices, each once."""
    NATIONAL_ID = "national_id"
    """A national identity number: kept apart, masked, in no event and no condition."""


class Declared(Protocol):
    """A field, as far as its values are concerned."""

    key: str
    kind: str
    rules: dict[str, Any]
    is_filtered: bool
    is_closed: bool


class ValueRefused(ValueError):
    """A value that the field cannot hold; the message says why and what it can."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A value as it stands in the table that conditions read."""

    text: str | None = None
    number: Decimal | None = None
    day: date | None = None


def choices_of(rules: Mapping[str, Any]) -> list[str]:
    """Return the keys of a field's choices, in their order."""
    return [str(one["key"]) for one in rules.get("choices") or ()]


def read_value(field: Declared, given: object) -> Value:
    """Return a value in the one spelling in which it is kept and shown: decimals and dates as texts.

    Raises:
        ValueRefused: the field cannot hold it.
    """
    return _READERS[FieldKind(field.kind)](given, field.rules)


def columns_of(kind: str, value: object) -> list[Columns]:
    """Return a kept value as what conditions compare with; several choices are several."""
    if kind == FieldKind.CHOICES and isinstance(value, list):
        return [Columns(text=str(one)) for one in value]
    if kind in (FieldKind.NUMBER, FieldKind.DECIMAL):
        return [Columns(number=Decimal(str(value)))]
    if kind == FieldKind.DATE:
        return [Columns(day=date.fromisoformat(str(value)))]
    if kind == FieldKind.FLAG:
        return [Columns(text="true" if value else "false")]
    return [Columns(text=str(value))]


def _text(given: object, rules: Mapping[str, Any]) -> str:
    if not isinstance(given, str):
        raise ValueRefused("write a text")
    text = given.strip()
    limit = rules.get("max_length") or TEXT_LENGTH
    if len(text) > limit:
        message = f"has {len(text)} signs, at most {limit} are kept"
        raise ValueRefused(message)
    kind = national_number_in(text)
    if kind:
        message = f"looks like a national identity number ({kind}); a field of kind national_id holds those"
        raise ValueRefused(message)
    return text


def _whole(given: object, rules: Mapping[str, Any]) -> int:
    text = str(given).strip()
    if isinstance(given, bool) or not re.fullmatch(rf"[-+]?\d{{1,{DIGITS}}}", text, re.ASCII):
        message = f"write a whole number of at most {DIGITS} digits"
        raise ValueRefused(message)
    found = int(text)
    _within(Decimal(found), rules)
    return found


def _decimal(given: object, rules: Mapping[str, Any]) -> str:
    text = str(given).strip().replace(",", ".")
    try:
        found = Decimal("NaN") if isinstance(given, bool) else Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found.adjusted()) >= DIGITS:
        message = f"write a number such as 12.5 or 12,5, of at most {DIGITS} digits"
        raise ValueRefused(message)
    places = int(rules.get("decimals", 6))
    if found != round(found, places):
        message = f"has more than {places} decimals"
        raise ValueRefused(message)
    _within(found, rules)
    return f"{found.normalize():f}"


def _within(found: Decimal, rules: Mapping[str, Any]) -> None:
    for name, is_wrong, words in (
        ("min", Decimal.__lt__, "at least"),
        ("max", Decimal.__gt__, "at most"),
    ):
        limit = rules.get(name)
        if limit is not None and is_wrong(found, Decimal(str(limit))):
            message = f"is {found}, it must be {words} {limit}"
            raise ValueRefused(message)


def _date(given: object, rules: Mapping[str, Any]) -> str:
    text = str(given).strip()
    nordic = _DAY.fullmatch(text)
    try:
        found = (
            date(int(nordic["year"]), int(nordic["month"]), int(nordic["day"]))
            if nordic
            else date.fromisoformat(text)
        )
    except ValueError as error:
        raise ValueRefused("write a day that exists, as 2026-12-31 or 31.12.2026") from error
    for name, is_wrong, words in (("min", date.__lt__, "before"), ("max", date.__gt__, "after")):
        limit = rules.get(name)
        if limit is not None and is_wrong(found, date.fromisoformat(str(limit))):
            message = f"is {found}, which is {words} {limit}"
            raise ValueRefused(message)
    return found.isoformat()


def _flag(given: object, _rules: Mapping[str, Any]) -> bool:
    text = str(given).strip().casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueRefused("write true or false")


def _choice(given: object, rules: Mapping[str, Any]) -> str:
    there = choices_of(rules)
    if not isinstance(given, str) or given.strip() not in there:
        message = f"choose one of {', '.join(there[:20])}"
        raise ValueRefused(message)
    return given.strip()


def _choices(given: object, rules: Mapping[str, Any]) -> list[str]:
    if not isinstance(given, list):
        raise ValueRefused("write a list of choices")
    chosen = {_choice(one, rules) for one in given}
    return [one for one in choices_of(rules) if one in chosen]


def _national(given: object, rules: Mapping[str, Any]) -> str:
    try:
        return read_national_number(str(given), str(rules.get("country", "NO")))
    except ValueError as error:
        raise ValueRefused(str(error)) from error


_READERS: Mapping[FieldKind, Callable[[object, Mapping[str, Any]], Value]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _whole,
    FieldKind.DECIMAL: _decimal,
    FieldKind.DATE: _date,
    FieldKind.FLAG: _flag,
    FieldKind.CHOICE: _choice,
    FieldKind.CHOICES: _choices,
    FieldKind.NATIONAL_ID: _national,
}


def json_schema(field: Declared) -> dict[str, Any]:
    """Describe the values of a field as JSON Schema."""
    rules = field.rules
    bounds = {
        name: rules[own]
        for own, name in (("min", "minimum"), ("max", "maximum"))
        if rules.get(own) is not None
    }
    described: Mapping[FieldKind, dict[str, Any]] = {
        FieldKind.TEXT: {"type": "string", "maxLength": rules.get("max_length") or TEXT_LENGTH},
        FieldKind.NUMBER: {"type": "integer", **bounds},
        FieldKind.DECIMAL: {"type": ["string", "number"]},
        FieldKind.DATE: {"type": "string", "format": "date"},
        FieldKind.FLAG: {"type": "boolean"},
        FieldKind.CHOICE: {"type": "string", "enum": choices_of(rules)},
        FieldKind.CHOICES: {
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "enum": choices_of(rules)},
        },
        FieldKind.NATIONAL_ID: {"type": "string", "writeOnly": True},
    }
    return described[FieldKind(field.kind)]


def narrower(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say in a sentence why values that are there might break the new rules; empty when none can."""
    gone = [key for key in choices_of(old) if key not in choices_of(new)]
    if gone:
        return f"the choice {gone[0]!r} may be in use: keep it"
    if old.get("country") != new.get("country"):
        return "the country of an identity number cannot change"
    for name in ("min", "max", "max_length", "decimals"):
        before, after = old.get(name, _ASSUMED.get(name)), new.get(name, _ASSUMED.get(name))
        if after is not None and (before is None or _is_narrower(kind, name, before, after)):
            return f"{name} may only be loosened: values may break {after}"
    return ""


_ASSUMED: Mapping[str, int] = {"max_length": TEXT_LENGTH, "decimals": 6}
"""What holds where a field says nothing."""


def _is_narrower(kind: str, name: str, before: object, after: object) -> bool:
    if kind == FieldKind.DATE:
        return str(after) > str(before) if name == "min" else str(after) < str(before)
    old, new = Decimal(str(before)), Decimal(str(after))
    return new > old if name == "min" else new < old
