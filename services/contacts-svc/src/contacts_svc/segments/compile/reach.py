"""Who may and can be reached, and why not: the decision about a message, and whether there is an address that works."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    Table,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
)

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


def class_of(purpose: Purpose | None) -> MessageClass:
    """Return the class of the messages that a campaign sends for a purpose: all of them are advertising."""
    if purpose is Purpose.NEWSLETTER:
        return MessageClass.NEWSLETTER
    return MessageClass.MARKETING


def may_be_contacted(context: Context, channel: Channel, purpose: Purpose) -> Holds:
    """Return what holds for persons to whom the table of rules lets a campaign speak now."""
    return decide_sql.allowed(context, channel, class_of(purpose), purpose=purpose)


class Sheet:
    """Everybody of a condition beside what decides whether a channel reaches them: joined once, not looked up each."""

    def __init__(
        self,
        context: Context,
        about: decide_sql.About,
        condition: Holds,
        customers: FromClause | None = None,
    ) -> None:
        channel = about.channel
        self._context, self._channel = context, channel
        self._purpose = about.purpose
        self._condition = condition
        self._known, tables = decide_sql.joined(context, about, person, customers)
        self._address = (
            _postal.alias("used") if channel is Channel.LETTER else _identifier.alias("first")
        )
        mine = self._address.c.person_id == person.c.id
        first = (
            (self._address.c.is_in_use,)
            if channel is Channel.LETTER
            else (self._address.c.kind == _kind(channel), self._address.c.is_primary)
        )
        self._tables = tables.outerjoin(self._address, and_(mine, *first))

    def reached(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select those whom the channel may and can reach."""
        may = decide_sql.allowed(
            self._context,
            self._channel,
            class_of(self._purpose),
            purpose=self._purpose,
            known=self._known,
        )
        return self._everybody(*columns).where(self._has_address, may, not_(self._is_undeliverable))

    def reasons(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select for each the one reason for which they are not reached, as a code; empty for one who is.

        Whoever has no address cannot be reached whatever they allow; of the others the decision is told first.
        """
        why = decide_sql.reason(
            self._context,
            self._channel,
            class_of(self._purpose),
            purpose=self._purpose,
            known=self._known,
        )
        reason = case(
            (not_(self._has_address), _word(NO_ADDRESS)),
            else_=case(
                (self._is_undeliverable, func.coalesce(func.nullif(why, ""), _word(UNDELIVERABLE))),
                else_=why,
            ),
        )
        return self._everybody(*columns, reason.label("reason"))

    def _everybody(self, *columns: ColumnElement[Any]) -> Select[Any]:
        return (
            select(*columns).select_from(self._tables).where(~person.c.is_erased, self._condition)
        )

    @property
    def _has_address(self) -> Holds:
        if self._channel is Channel.LETTER:
            return and_(person.c.street != "", person.c.postal_code != "", person.c.city != "")
        return self._address.c.person_id.is_not(None)

    @property
    def _is_undeliverable(self) -> Holds:
        columns = self._address.c
        broken = columns.reachability.is_not_distinct_from(UNDELIVERABLE)
        if self._channel is not Channel.LETTER:
            broken = or_(broken, columns.validity.is_not_distinct_from("invalid"))
        return broken


def _kind(channel: Channel) -> str:
    return "email" if channel in (Channel.EMAIL, Channel.WEB) else "phone"


def _word(text: str) -> ColumnElement[str]:
    return literal(text, String())
