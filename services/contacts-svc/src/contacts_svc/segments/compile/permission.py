"""Clauses about what a person allows, in SQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select

from contacts_svc.base import table_of
from contacts_svc.permissions.model import PermissionNow
from contacts_svc.segments.compile.base import Facts, Holds, Meaning, facts, person
from contacts_svc.segments.conditions.permission import HasPermission
from contacts_svc.touched import Family

_permission: Table = table_of(PermissionNow)


def about(
    channel: str, purpose: str, what: ColumnElement[Any] = _permission.c.person_id
) -> Select[Any]:
    """Select what the ledger says of a person's channel and purpose now."""
    return (
        select(what)
        .where(
            _permission.c.person_id == person.c.id,
            _permission.c.channel == channel,
            _permission.c.purpose == purpose,
        )
        .correlate(person)
    )


def has_state(channel: str, purpose: str, state: str) -> Holds:
    """Return what holds for persons of whom the ledger says this."""
    return about(channel, purpose).where(_permission.c.state == state).exists()


def _holds(node: HasPermission, _now: datetime) -> Holds:
    if node.state == "none":
        return ~about(node.channel.value, node.purpose.value).exists()
    return has_state(node.channel.value, node.purpose.value, str(node.state))


def _facts(node: HasPermission, _now: datetime) -> Facts:
    known = facts(
        state=_permission.c.state,
        occurred_at=_permission.c.occurred_at,
        source=_permission.c.source,
        ledger_id=_permission.c.ledger_id,
    )
    found = about(node.channel.value, node.purpose.value, known).scalar_subquery()
    return func.coalesce(found, facts(state="none"))


MEANINGS: dict[type, Meaning] = {HasPermission: Meaning(Family.PERMISSION, _holds, _facts)}
