"""Reads of how many a segment reaches."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, literal, not_, select

from contacts_svc.base import plain
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import (
    Node,
)
from kantis_contracts.campaign import PreflightRequest
from kantis_contracts.contacts import ChannelReach
from kantis_contracts.values import Channel, Purpose
from kantis_kit.tx import ReadTx


async def count_reach(tx: ReadTx, condition: Node, request: PreflightRequest) -> list[ChannelReach]:
    """Return per channel how many would be reached and why others would not; each is counted under one reason."""
    return [await _reach(tx, condition, channel, request.purpose) for channel in request.channels]


async def _reach(tx: ReadTx, condition: Node, channel: Channel, purpose: Purpose) -> ChannelReach:
    reason = case(
        (not_(sql.has_address(channel)), literal("no_address")),
        (not_(sql.may_be_contacted(channel, purpose)), literal("no_permission")),
        (sql.is_undeliverable(channel), literal("undeliverable")),
        else_=literal(""),
    ).label("reason")
    judged = sql.members(condition, now=tx.clock.now()).with_only_columns(reason).subquery()
    rows = await tx.execute(select(judged.c.reason, func.count()).group_by(judged.c.reason))
    counted = {str(name): int(number) for name, number in plain(rows)}
    return ChannelReach(channel=channel, reachable=counted.pop("", 0), excluded=counted)


async def count_nameless(tx: ReadTx, condition: Node) -> int:
    """Return how many members have not said what they want to be called."""
    nameless = (
        sql.members(condition, now=tx.clock.now())
        .where(sql.person.c.preferred_name == "")
        .subquery()
    )
    return int(await tx.scalar(select(func.count()).select_from(nameless)))


async def count_duplicates(tx: ReadTx, condition: Node) -> int:
    """Return how many members look like another one: the same name at the same street and postal code."""
    people = sql.person
    alike = (
        sql.members(condition, now=tx.clock.now())
        .with_only_columns((func.count() - 1).label("further"))
        .where(people.c.full_name != "", people.c.postal_code != "")
        .group_by(func.lower(people.c.full_name), func.lower(people.c.street), people.c.postal_code)
        .having(func.count() > 1)
        .subquery()
    )
    return int(await tx.scalar(select(func.coalesce(func.sum(alike.c.further), 0))))


def reachable(
    condition: Node, channel: Channel, purpose: Purpose, *, now: datetime
) -> ColumnElement[bool]:
    """Return what holds for members that a channel may and can reach for a purpose."""
    return and_(
        ~sql.person.c.is_erased,
        sql.clause(condition, now=now),
        sql.has_address(channel),
        sql.may_be_contacted(channel, purpose),
        not_(sql.is_undeliverable(channel)),
    )
