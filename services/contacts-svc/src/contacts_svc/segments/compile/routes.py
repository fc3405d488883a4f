"""By which channels each person of a condition is reached, what the person likes best, and what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.base import table_of
from contacts_svc.permissions import decide_sql
from contacts_svc.permissions.decide_sql import About, Context
from contacts_svc.permissions.model import Preference
from contacts_svc.segments.compile.base import Holds, person
from contacts_svc.segments.compile.reach import Sheet
from contacts_svc.value.model import PersonValue
from kantis_contracts.contacts import Route
from kantis_contracts.values import Channel

ACTIVE_POINTS = 50
"""What being active adds to a person's points: more than all points together, so that the passive come last."""
_PASSIVE_RECENCY = 1
_value = table_of(PersonValue)
_wish = table_of(Preference)
_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class Routes:
    """Everybody of a condition, joined once with a verdict per channel."""

    person_id: ColumnElement[UUID]
    reasons: Mapping[Channel, ColumnElement[str]]
    """Why a channel does not reach the person; empty where it does."""
    wished: ColumnElement[str]
    """The channels that the person ranked, as a JSON array."""
    worth: ColumnElement[int]
    _tables: FromClause

    def of_all(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select everybody of the condition."""
        return select(*columns).select_from(self._tables)

    def with_person(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select those whom at least one channel reaches, with what is asked of their own row."""
        return (
            select(*columns)
            .select_from(self._tables.join(person, person.c.id == self.person_id))
            .where(literal("", Text()).in_(list(self.reasons.values())))
        )

    @property
    def spelled(self) -> ColumnElement[str]:
        """The route as one text, to be read by `read_route`: few different ones, so that they are read once each."""
        return func.concat_ws(
            _SEPARATOR, cast(self.worth, Text()), self.wished, *self.reasons.values()
        )


def routes(context: Context, abouts: Sequence[About], condition: Holds) -> Routes:
    """Return the routes of everybody of a condition by these channels."""
    customers = decide_sql.customers()
    parts = {
        about.channel: Sheet(context, about, condition, customers)
        .reasons(person.c.id)
        .subquery(f"by_{about.channel.value}")
        for about in abouts
    }
    first, *others = parts.values()
    tables: FromClause = reduce(
        lambda joined, part: joined.join(part, part.c.id == first.c.id), others, first
    )
    points = _value.c.recency + _value.c.frequency + _value.c.monetary
    active = case((_value.c.recency > _PASSIVE_RECENCY, ACTIVE_POINTS), else_=0)
    return Routes(
        person_id=first.c.id,
        reasons={channel: part.c.reason for channel, part in parts.items()},
        wished=cast(func.coalesce(_wish.c.channels, literal([], JSONB())), Text()),
        worth=cast(func.coalesce(points + active, 0), Integer()),
        _tables=tables.outerjoin(_value, _value.c.person_id == first.c.id).outerjoin(
            _wish, _wish.c.person_id == first.c.id
        ),
    )


def read_route(spelled: str, channels: Sequence[Channel]) -> Route:
    """Return the route that was written as a text."""
    worth, wished, *reasons = spelled.split(_SEPARATOR)
    by_channel = dict(zip(channels, reasons, strict=True))
    return Route(
        reached=tuple(channel for channel, reason in by_channel.items() if not reason),
        missed={channel: reason for channel, reason in by_channel.items() if reason},
        wished=tuple(Channel(name) for name in orjson.loads(wished)),
        worth=int(worth),
    )
