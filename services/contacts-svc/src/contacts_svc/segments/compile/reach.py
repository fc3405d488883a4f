"""Who may and can be reached, and why not: the decision about a message, and whether there is an address that works."""

from sqlalchemy import ColumnElement, Select, String, Table, and_, case, literal, not_, or_, select

from contacts_svc.base import table_of
from contacts_svc.people.model import Identifier, PostalAddress
from contacts_svc.permissions import decide_sql
from contacts_svc.permissions.decide_sql import Context
from contacts_svc.segments.compile.base import Holds, person
from kantis_contracts.values import Channel, MessageClass, Purpose

NO_ADDRESS = "no_address"
UNDELIVERABLE = "undeliverable"

_identifier: Table = table_of(Identifier)
_postal: Table = table_of(PostalAddress)


def class_of(purpose: Purpose) -> MessageClass:
    """Return the class of the messages that a campaign sends for a purpose: all of them are advertising."""
    if purpose is Purpose.NEWSLETTER:
        return MessageClass.NEWSLETTER
    return MessageClass.MARKETING


def may_be_contacted(context: Context, channel: Channel, purpose: Purpose) -> Holds:
    """Return what holds for persons to whom the table of rules lets a campaign speak now."""
    return decide_sql.allowed(context, channel, class_of(purpose), purpose=purpose)


def exclusion(context: Context, channel: Channel, purpose: Purpose) -> ColumnElement[str]:
    """Return the one reason for which a person is not reached, as a code; empty for one who is.

    Whoever has no address cannot be reached whatever they allow; of the others the decision is told first.
    """
    may = decide_sql.reason(context, channel, class_of(purpose), purpose=purpose)
    return case(
        (not_(has_address(channel)), _word(NO_ADDRESS)),
        (may != _word(""), may),
        (is_undeliverable(channel), _word(UNDELIVERABLE)),
        else_=_word(""),
    )


def reachable(
    context: Context, channel: Channel, purpose: Purpose, condition: Holds
) -> ColumnElement[bool]:
    """Return what holds for those of a condition whom a channel may and can reach for a purpose."""
    return and_(
        ~person.c.is_erased,
        condition,
        has_address(channel),
        may_be_contacted(context, channel, purpose),
        not_(is_undeliverable(channel)),
    )


def has_address(channel: Channel) -> Holds:
    """Return what holds for persons who have an address for a channel."""
    if channel is Channel.LETTER:
        return and_(person.c.street != "", person.c.postal_code != "", person.c.city != "")
    return _first_address(channel).exists()


def is_undeliverable(channel: Channel) -> Holds:
    """Return what holds for persons whose first address for a channel is known not to work."""
    if channel is Channel.LETTER:
        return (
            select(_postal.c.person_id)
            .where(
                _postal.c.person_id == person.c.id,
                _postal.c.is_in_use,
                _postal.c.reachability == UNDELIVERABLE,
            )
            .correlate(person)
            .exists()
        )
    return (
        _first_address(channel)
        .where(
            or_(_identifier.c.reachability == UNDELIVERABLE, _identifier.c.validity == "invalid")
        )
        .exists()
    )


def _first_address(channel: Channel) -> Select[tuple[object]]:
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


def _word(text: str) -> ColumnElement[str]:
    return literal(text, String())
