"""Lists of calls and outcomes as tables: semicolons, a row for each call, as call centres exchange them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from kantis_kit.csv_rows import quoted
from kantis_kit.web.problems import message_of
from messaging_svc.phone.errors import FileUnreadable
from messaging_svc.phone.schemas import CallOut, OutcomeIn, RejectOut

MAX_BYTES = 10 * 1024 * 1024
_LEARNED = ("needs", "objections", "motives")
_KINDS = {"needs": "need", "objections": "objection", "motives": "motive"}
_ANSWERS = ("outcome", "call_back_at", "note", *_LEARNED, "follow_up")
COLUMNS = (
    "call_id", "phone", "preferred_name", "language", "utc_offset", "hours", "attempt", "campaign", "response_code", "script",
    "known_needs", "known_objections", "known_motives", "roles", "earlier", *_ANSWERS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file that can be read."""

    row: int
    call_id: UUID
    outcome: str
    note: str = ""
    learned: Sequence[Mapping[str, Any]] = field(default=())
    follow_up: str = ""
    call_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row of a file that is not taken."""

    row: int
    call_id: str
    message: str


def written(rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> bytes:
    """Return rows as a table that spreadsheets open, and take no cell of for a formula."""
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerows([[quoted(str(value)) for value in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def row_of(call: CallOut) -> list[object]:
    """Return the row of a call; the columns for its outcome are empty."""
    known = {
        kind: "|".join(one.term for one in call.needs if one.kind == kind)
        for kind in _KINDS.values()
    }
    return [
        call.id, call.phone, call.preferred_name, call.language,
        f"{call.local_time:%z}" if call.local_time else "", call.hours, call.attempt, call.campaign_name, call.response_code,
        call.script, *(known[_KINDS[name]] for name in _LEARNED),
        "|".join(f"{one.role} {one.organisation}" for one in call.roles),
        "|".join(f"{one.ended_at:%Y-%m-%d} {one.outcome}" for one in call.earlier),
        *([""] * len(_ANSWERS)),
    ]  # fmt: skip


def rejects(rows: Sequence[RejectOut]) -> bytes:
    """Return the rows that were not taken, each with the reason."""
    return written(
        [("row", "call_id", "message"), *((one.row, one.call_id, one.message) for one in rows)]
    )


def read_outcomes(content: bytes) -> tuple[list[Line], list[Rejected]]:
    """Return the rows that can be read, and those that cannot; rows without an outcome are left out.

    Raises:
        FileUnreadable: it is no table in UTF-8, or lacks a column.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            f"It is not UTF-8 at byte {error.start}; save it as CSV UTF-8"
        ) from error
    if "\x00" in text:
        raise FileUnreadable("It holds a NUL character; save it as CSV UTF-8")
    first = text.split("\n", 1)[0]
    delimiter = ";" if ";" in first else ","
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    lacking = {"call_id", "outcome"} - {(name or "").strip() for name in table.fieldnames or ()}
    if lacking:
        raise FileUnreadable(
            f"The first row names no column {' and no column '.join(sorted(lacking))}; keep the header of the list"
        )
    lines: list[Line] = []
    rejected: list[Rejected] = []
    try:
        for number, row in enumerate(table, start=2):
            given = {
                (name or "").strip(): (value or "")
                for name, value in row.items()
                if isinstance(value, str)
            }
            told = {
                name: given.get(name, "").strip().removeprefix("'")
                for name in ("call_id", *_ANSWERS)
            }
            if not told["outcome"]:
                continue
            try:
                lines.append(_line(number, told))
            except ValidationError as error:
                one = error.errors()[0]
                where = ".".join(map(str, one["loc"]))
                rejected.append(
                    Rejected(number, told["call_id"][:36], f"{where}: {message_of(one)}")
                )
            except ValueError as error:
                rejected.append(Rejected(number, told["call_id"][:36], str(error)))
    except csv.Error as error:
        raise FileUnreadable(f"It is not a table: {error}") from error
    return lines, rejected


def _line(number: int, told: Mapping[str, str]) -> Line:
    try:
        call_id = UUID(told["call_id"])
    except ValueError as error:
        message = "call_id: is not one of the list; leave that column as it was"
        raise ValueError(message) from error
    terms = "|".join(told[name] for name in _LEARNED).replace(",", "|").split("|")
    body = OutcomeIn.model_validate(
        {
            "outcome": told["outcome"].lower(),
            "note": told["note"],
            "follow_up": told["follow_up"],
            "call_back_at": told["call_back_at"] or None,
            "learned": [{"term": term.strip()} for term in terms if term.strip()],
        }
    )
    return Line(
        number, call_id, body.outcome, body.note, [one.model_dump() for one in body.learned], body.follow_up,
        body.call_back_at,
    )  # fmt: skip
