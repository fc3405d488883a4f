"""What a row says: the text of each of its fields, how sure a machine was of them, and the response that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import TypeAdapter, ValidationError

from kantis_contracts.orders import ResponseKind
from kantis_contracts.values import Country
from kantis_kit.calendar import DEFAULT_COUNTRY, ZONES
from orders_svc.response_files.lines import Line
from orders_svc.response_files.schemas import ANSWER, CONFIDENCE, Form, MappingIn
from orders_svc.responses.schemas import MAX_QUANTITY, Code

OLDEST = timedelta(days=366)
LIMITS = {"note": 4_000, "street": 200, "postal_code": 12, "city": 100, "row_id": 100, "sku": 40}
MAX_ANSWER = 500
_ADDRESS = ("street", "postal_code", "city")
_CODE: TypeAdapter[str] = TypeAdapter(Code)
_COUNTRY: TypeAdapter[str] = TypeAdapter(Country)


class Refused(Exception):
    """A row makes no response; the message names the field and how to mend it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that makes a response, if it can be found whose."""

    kind: ResponseKind
    code: str
    phone: str
    quantity: int
    sku: str
    note: str
    row_id: str
    responded_at: datetime | None
    address_correction: dict[str, Any] | None
    answers: tuple[dict[str, Any], ...]


def said(line: Line, mapping: MappingIn) -> dict[str, str]:
    """Return what stands in each field of a line, without those that are empty. Raises `Refused` for a broken line."""
    if line.problem:
        raise Refused(line.problem)
    return {
        name: text
        for name in mapping.fields
        if not name.startswith(CONFIDENCE) and (text := _cell(line, mapping, name))
    }


def doubts(line: Line, mapping: MappingIn, read: Mapping[str, str]) -> dict[str, float]:
    """Return the fields that were read less surely than is asked for, each with how sure it was. Raises `Refused`."""
    found = {}
    for name in mapping.fields:
        if not name.startswith(CONFIDENCE):
            continue
        target = name.removeprefix(CONFIDENCE).removeprefix(".") or "row"
        if target != "row" and target not in read:
            continue
        text = _cell(line, mapping, name)
        try:
            sure = float(text.replace(",", ".") or 0) * 100 / mapping.full_confidence
        except ValueError as error:
            message = f"{name}: {text[:40]!r} is no number"
            raise Refused(message) from error
        if not sure >= mapping.least_confidence:
            found[target] = round(sure, 2)
    return found


def _cell(line: Line, mapping: MappingIn, name: str) -> str:
    key = name if mapping.form is Form.FIXED else mapping.fields[name].column or ""
    return line.cells.get(key, "").strip()


def row_of(read: Mapping[str, str], mapping: MappingIn, *, now: datetime) -> Row:
    """Return the response that these texts make. Raises `Refused`."""
    for name, text in read.items():
        limit = MAX_ANSWER if name.startswith(ANSWER) else LIMITS.get(name, LIMITS["note"])
        if len(text) > limit:
            message = f"{name}: {len(text)} signs, at most {limit} are kept"
            raise Refused(message)
    code, phone = read.get("code", ""), read.get("phone", "")
    if not code and not phone:
        message = "code: the row has none, and no telephone number either: nobody knows whose it is"
        raise Refused(message)
    return Row(
        kind=_kind(read.get("kind", ""), mapping),
        code=_checked("code", _CODE, code) if code else "",
        phone=_phone(phone, mapping.country) if phone and not code else "",
        quantity=_quantity(read.get("quantity", "")),
        sku=read.get("sku", ""),
        note=read.get("note", ""),
        row_id=read.get("row_id", ""),
        responded_at=_moment(read.get("responded_at", ""), mapping.country, now),
        address_correction=_address(read),
        answers=tuple(
            {
                "question": (question := name.removeprefix(ANSWER)),
                "answer": text,
                "term": mapping.terms.get(question, {}).get(text, ""),
            }
            for name, text in read.items()
            if name.startswith(ANSWER)
        ),
    )


def _checked(name: str, kind: TypeAdapter[str], text: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        message = f"{name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        raise Refused(message) from error


def _kind(text: str, mapping: MappingIn) -> ResponseKind:
    if not text and mapping.kind is not None:
        return mapping.kind
    known = {kind.value: kind for kind in ResponseKind} | mapping.kinds
    if text not in known:
        message = f"kind: {text[:40]!r} is none; the mapping knows {', '.join(known)}"
        raise Refused(message)
    return known[text]


def _quantity(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_QUANTITY):
        message = f"quantity: {text[:40]!r} is no number from 1 to {MAX_QUANTITY}"
        raise Refused(message)
    return int(text)


def _phone(text: str, country: str) -> str:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        message = f"phone: {text[:40]!r} is no telephone number"
        raise Refused(message) from error
    if not phonenumbers.is_possible_number(number):
        message = (
            f"phone: {text[:40]!r} is no number of {country}; write others with + and their country"
        )
        raise Refused(message)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _moment(text: str, country: str, now: datetime) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(ZONES.get(country, ZONES[DEFAULT_COUNTRY])))
        age = now - moment
    except (ValueError, OverflowError) as error:
        message = f"responded_at: {text[:40]!r} is no moment; write it as 2026-03-02T14:30:00"
        raise Refused(message) from error
    if not timedelta(0) <= age <= OLDEST:
        message = f"responded_at: {text[:40]!r} lies in the future or more than a year back"
        raise Refused(message)
    return moment


def _address(read: Mapping[str, str]) -> dict[str, Any] | None:
    parts = {name: read.get(name, "") for name in _ADDRESS}
    if not any(parts.values()):
        return None
    country = read.get("country")
    return parts | {"country": _checked("country", _COUNTRY, country) if country else None}
