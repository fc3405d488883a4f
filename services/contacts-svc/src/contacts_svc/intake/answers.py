"""Answers to the questions that a form asks: checked by the form's own declaration, and nothing else is kept."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from math import isfinite
from typing import Any

from contacts_svc.intake.errors import AnswerInvalid
from contacts_svc.intake.model import Form
from contacts_svc.intake.schemas import FieldKind, LeadIn
from contacts_svc.people.rules import national_number_in

Answer = str | float | bool | list[str]
_YES = frozenset({"yes", "on", "true", "1"})
_NO = frozenset({"no", "off", "false", "0", ""})
MAX_TEXT = 200
MAX_LONG_TEXT = 2_000


def _refused(key: str, why: str) -> AnswerInvalid:
    return AnswerInvalid(
        f"answers.{key}: {why}", errors=[{"in": "body", "field": f"answers.{key}", "message": why}]
    )


def _text(key: str, given: object, longest: int) -> str:
    if not isinstance(given, str):
        raise _refused(key, "answer with a text")
    if len(given) > longest:
        raise _refused(key, f"at most {longest} signs, this has {len(given)}")
    kind = national_number_in(given)
    if kind:
        raise _refused(key, f"looks like a {kind}; such numbers are not kept here, leave it out")
    return given.strip()


def _number(key: str, given: object) -> float:
    try:
        # A decimal comma is what people in the Nordic countries write.
        found = float(given.replace(" ", "").replace(",", ".") if isinstance(given, str) else given)  # type: ignore[arg-type]  # refused below
    except (TypeError, ValueError) as error:
        raise _refused(key, "answer with a number") from error
    if isinstance(given, bool) or not isfinite(found):
        raise _refused(key, "answer with a number")
    return found


def _date(key: str, given: object) -> str:
    try:
        return date.fromisoformat(str(given)).isoformat()
    except ValueError as error:
        raise _refused(key, "answer with a date such as 2026-05-17") from error


def _flag(key: str, given: object) -> bool:
    said = str(given).strip().lower()
    if said in _YES or said in _NO:
        return said in _YES
    raise _refused(key, "answer with true or false")


def _choices(key: str, given: object, field: dict[str, Any]) -> list[str]:
    offered = [one["value"] for one in field["choices"]]
    chosen = given if isinstance(given, list) else [given]
    if field["kind"] == FieldKind.CHOICE and len(chosen) > 1:
        raise _refused(key, "choose one answer")
    for one in chosen:
        if one not in offered:
            raise _refused(key, f"choose among {', '.join(offered)}")
    return [value for value in offered if value in chosen]


_READERS: Mapping[FieldKind, Callable[[dict[str, Any], object], Answer]] = {
    FieldKind.TEXT: lambda field, given: _text(field["key"], given, MAX_TEXT),
    FieldKind.LONG_TEXT: lambda field, given: _text(field["key"], given, MAX_LONG_TEXT),
    FieldKind.NUMBER: lambda field, given: _number(field["key"], given),
    FieldKind.DATE: lambda field, given: _date(field["key"], given),
    FieldKind.FLAG: lambda field, given: _flag(field["key"], given),
    FieldKind.CHOICE: lambda field, given: _choices(field["key"], given, field)[0],
    FieldKind.CHOICES: lambda field, given: _choices(field["key"], given, field),
}


def read_answers(form: Form, body: LeadIn) -> dict[str, Answer]:
    """Return the answers as the form declares them; empty ones are none.

    Raises:
        AnswerInvalid: an answer of the wrong kind, to no question of the form, or one that is required is missing.
    """
    known = {field["key"]: field for field in form.fields}
    for key in body.answers:
        if key not in known:
            asked = ", ".join(known) or "nothing"
            raise _refused(key, f"this form does not ask that; it asks {asked}")
    answers = {
        key: _READERS[FieldKind(known[key]["kind"])](known[key], given)
        for key, given in body.answers.items()
        if given not in ("", [])
    }
    for key, field in known.items():
        if field["is_required"] and answers.get(key, "") in ("", [], False):
            raise _refused(key, "this question must be answered")
    return answers


def read_topics(form: Form, body: LeadIn) -> list[str]:
    """Return the topics that were ticked, each once. Raises `AnswerInvalid` for one that the form does not offer."""
    offered = [topic["key"] for topic in form.topics]
    for key in body.topics:
        if key not in offered:
            message = (
                f"topics: {key} is not offered here; choose among {', '.join(offered) or 'none'}"
            )
            raise AnswerInvalid(
                message, errors=[{"in": "body", "field": "topics", "message": message}]
            )
    return [key for key in offered if key in body.topics]


def terms_of(form: Form, answers: dict[str, Answer]) -> Iterator[tuple[str, str, str]]:
    """Return question, answer and word of the vocabulary for each answer that says something about the person."""
    for field in form.fields:
        given = answers.get(field["key"])
        chosen = given if isinstance(given, list) else [given]
        for choice in field["choices"]:
            if choice["term"] and choice["value"] in chosen:
                yield field["key"], choice["value"], choice["term"]
