"""The one statement that writes first leads: an insert per table, an array per column; by itself, or behind a look."""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

from contacts_svc.base import Moment, table_of
from contacts_svc.intake.model import (
    AskedMailbox,
    Confirmation,
    ConfirmationSlot,
    IntakeWindow,
    Lead,
)
from contacts_svc.lists import ListMember
from contacts_svc.people.model import Identifier, Person, PersonChange
from contacts_svc.permissions.model import LedgerEntry, PermissionNow
from contacts_svc.touched import TouchedPerson

_IDEMPOTENCY = Table(
    "idempotency",
    MetaData(),
    Column("caller", String),
    Column("route", String),
    Column("key", String),
    Column("request_hash", LargeBinary),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("stored_at", Moment),
)
"""The chassis' table, as it is written here."""
_OUTBOX = Table(
    "outbox",
    MetaData(),
    Column("id", Uuid),
    Column("type", String),
    Column("subject", String),
    Column("occurred_at", Moment),
    Column("recorded_at", Moment),
    Column("correlation_id", Uuid),
    Column("causation_id", Uuid),
    Column("traceparent", String),
    Column("data", LargeBinary),
)
"""The chassis' as well: what is told leaves with the statement that makes it true."""

_LEFT_OUT: Mapping[str, frozenset[str]] = {
    # What the database gives, or what is null of a newcomer.
    "identifier": frozenset({"valid_from", "valid_to", "reach_changes_at"}),
    "person": frozenset({"not_before"}),
    "person_change": frozenset({"id"}),
    "permission_ledger": frozenset({"seq"}),
    "lead": frozenset({"visitor_id"}),
    "touched_person": frozenset({"id", "followed"}),
    "confirmation": frozenset({"confirmed_at"}),
}
# The database carries out the inserts from the last to the first. What others may hold comes in the order in which the
# long way takes it: the key, the addresses, the mailbox, and the counts at the very end.
_MODELS: Sequence[type[SQLModel]] = (
    Identifier,
    Person,
    PersonChange,
    Lead,
    PermissionNow,
    LedgerEntry,
    ListMember,
    TouchedPerson,
    Confirmation,
    ConfirmationSlot,
    AskedMailbox,
    IntakeWindow,
)
_ORDER = (_IDEMPOTENCY, _OUTBOX, *(table_of(model) for model in _MODELS))
TABLES: Mapping[str, tuple[str, ...]] = {
    table.name: tuple(
        column.name
        for column in table.columns
        if column.name not in _LEFT_OUT.get(table.name, frozenset())
    )
    for table in _ORDER
}
"""The columns of each table, in the order of the statement's arguments."""
_ARGUMENT = re.compile(r"\$(\d+)")
_ON_CONFLICT = {
    "intake_window": " ON CONFLICT (name, starts_at, shard)"
    " DO UPDATE SET counted = intake_window.counted + excluded.counted"
}


def _type(table: Table, name: str) -> str:
    kind = table.columns[name].type
    if isinstance(kind, BigInteger):
        return "bigint"
    return str(kind.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]  # untyped in the library


def _inserts(gate: str = "") -> str:
    """Return the parts of the statement that write, each behind the gate when there is one."""
    inserts, number = [], 0
    for table in _ORDER:
        arrays, chosen = [], []
        for name in TABLES[table.name]:
            number += 1
            kind = _type(table, name)
            is_json = kind == "JSONB"
            arrays.append(f"${number}::{'text' if is_json else kind}[]")
            chosen.append(f"{name}::jsonb" if is_json else name)
        names = ", ".join(TABLES[table.name])
        inserts.append(
            f"new_{table.name} AS (INSERT INTO {table.name} ({names}) SELECT {', '.join(chosen)}"  # noqa: S608 - names of our own
            f" FROM unnest({', '.join(arrays)}) AS given ({names}){gate}{_ON_CONFLICT.get(table.name, '')})"
        )
    return ", ".join(reversed(inserts))


def behind(look: str, is_clear: str) -> str:
    """Return a statement that looks, and inserts in the same breath when what it saw is clear.

    Args:
        look: a SELECT; its arguments are counted from 1 and come after those of the inserts. Its rows are returned.
        is_clear: a condition on the columns of the look, which has one row.
    """
    before = sum(map(len, TABLES.values()))
    moved = [
        _ARGUMENT.sub(lambda found: f"${before + int(found[1])}", part) for part in (look, is_clear)
    ]
    return (
        f"WITH seen AS MATERIALIZED ({moved[0]}), clear AS MATERIALIZED (SELECT {moved[1]} AS it FROM seen), "  # noqa: S608 - words of our own
        f"{_inserts(' WHERE (SELECT it FROM clear)')} SELECT seen.*, clear.it AS is_clear FROM seen, clear"
    )


INSERTS = f"WITH {_inserts()} SELECT 1"
