"""Who may and can be reached, in SQL."""

from typing import Any

from sqlalchemy import Select, Table, and_, or_, select

from contacts_svc.base import table_of
from contacts_svc.people.model import Identifier
from contacts_svc.permissions.model import ASKED_FIRST
from contacts_svc.segments.compile.base import Holds, person
from contacts_svc.segments.compile.permission import has_state
from kantis_contracts.values import Channel, Purpose

_identifier: Table = table_of(Identifier)


def may_be_contacted(channel: Channel, purpose: Purpose) -> Holds:
    """Return what holds for persons whose permission lets a channel be used for a purpose."""
    if channel in ASKED_FIRST:
        return has_state(channel.value, purpose.value, "granted")
    return ~has_state(channel.value, purpose.value, "withdrawn")


def has_address(channel: Channel) -> Holds:
    """Return what holds for persons who have an address for a channel."""
    if channel is Channel.LETTER:
        return and_(person.c.street != "", person.c.postal_code != "", person.c.city != "")
    return _first_address(channel).exists()


def is_undeliverable(channel: Channel) -> Holds:
    """Return what holds for persons whose only address for a channel is known not to work."""
    if channel is Channel.LETTER:
        return person.c.id.is_(None)  # postal returns are not known yet
    return (
        _first_address(channel)
        .where(
            or_(_identifier.c.reachability == "undeliverable", _identifier.c.validity == "invalid")
        )
        .exists()
    )


def _first_address(channel: Channel) -> Select[Any]:
    kind = "email" if channel in (Channel.EMAIL, Channel.WEB) else "phone"
    return (
        select(_identifier.c.person_id)
        .where(
            _identifier.c.person_id == person.c.id,
            _identifier.c.kind == kind,
            _identifier.c.is_primary,
        )
        .correlate(person)
    )
