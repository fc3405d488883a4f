"""Clauses about what a person allows, in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, false, func, select

from contacts_svc.base import table_of
from contacts_svc.permissions import decide_sql
from contacts_svc.permissions.model import PermissionNow, Preference
from contacts_svc.segments.compile.base import (
    Facts,
    Holds,
    Meaning,
    Moments,
    Now,
    earliest,
    facts,
    midnight,
    person,
)
from contacts_svc.segments.conditions.permission import Decided, HasPermission, MayContact
from contacts_svc.touched import Family

_permission: Table = table_of(PermissionNow)
_preference: Table = table_of(Preference)


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


def _holds(node: HasPermission, _now: Now) -> Holds:
    if node.state == "none":
        return ~about(node.channel.value, node.purpose.value).exists()
    return has_state(node.channel.value, node.purpose.value, str(node.state))


def _facts(node: HasPermission, _now: Now) -> Facts:
    known = facts(
        state=_permission.c.state,
        occurred_at=_permission.c.occurred_at,
        source=_permission.c.source,
        ledger_id=_permission.c.ledger_id,
    )
    found = about(node.channel.value, node.purpose.value, known).scalar_subquery()
    return func.coalesce(found, facts(state="none"))


def _allowed(node: Decided, _now: Now) -> Holds:
    asked = node.asked
    return decide_sql.allowed(node.context, asked.channel, asked.message_class, topic=asked.topic)


def _reason(node: Decided, _now: Now) -> Facts:
    asked = node.asked
    return facts(
        reason=decide_sql.reason(
            node.context, asked.channel, asked.message_class, topic=asked.topic
        )
    )


def _decision_flips(_node: Decided, now: Now) -> Moments:
    """Tell when the day before which nobody writes has come, or a pause ends; the keeper watches rules and washes."""
    day = midnight(person.c.not_before)
    pause = select(_preference.c.paused_until).where(
        _preference.c.person_id == person.c.id, _preference.c.paused_until > now
    )
    return earliest(case((day > now, day)), pause.correlate(person).scalar_subquery())


MEANINGS: dict[type, Meaning] = {
    HasPermission: Meaning(Family.PERMISSION, _holds, _facts),
    # What decides for everybody is put beside it before anything is compiled; without that nobody is allowed anything.
    MayContact: Meaning(Family(0), lambda _node, _now: false(), lambda _node, _now: facts()),
    Decided: Meaning(
        Family.PERMISSION | Family.ORDER | Family.PROFILE | Family.REACH,
        _allowed,
        _reason,
        _decision_flips,
    ),
}
