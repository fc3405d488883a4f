"""Reads of how many a segment reaches, why not the others, and how good what is known of its members is."""

from sqlalchemy import String, Table, func, literal, select

from contacts_svc.base import plain, table_of
from contacts_svc.permissions import decide_sql
from contacts_svc.permissions.decide_sql import About, Context
from contacts_svc.permissions.gather import last_washes
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import Node
from contacts_svc.segments.model import Standing
from kantis_contracts.campaign import PreflightRequest
from kantis_contracts.contacts import ChannelReach, RegisterWash
from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx

LOW_SCORE = 50
"""Below this many percent the data of a person count as poor."""
_score: Table = table_of(QualityScore)


async def count_reach(tx: ReadTx, condition: Node, request: PreflightRequest) -> list[ChannelReach]:
    """Return per channel how many would be reached and why others would not; each is counted under one reason."""
    context = await decide_sql.load(tx)
    return [
        await _reach(
            tx,
            context,
            condition,
            About(channel, request.purpose, request.topic or None, request.list_id),
        )
        for channel in request.channels
    ]


async def _reach(tx: ReadTx, context: Context, condition: Node, about: About) -> ChannelReach:
    members = sql.clause(condition, now=context.at, sweep=True)
    judged = sql.Sheet(context, about, members).reasons().subquery()
    rows = await tx.execute(select(judged.c.reason, func.count()).group_by(judged.c.reason))
    counted = {str(name): int(number) for name, number in plain(rows)}
    return ChannelReach(channel=about.channel, reachable=counted.pop("", 0), excluded=counted)


async def list_washes(tx: ReadTx, request: PreflightRequest) -> list[RegisterWash]:
    """Return when the reservation registers that cover the channels asked for were washed last."""
    today = tx.clock.now().date()
    context = await decide_sql.load(tx)
    last = await last_washes(tx, today)
    return [
        RegisterWash(
            register_key=register.key,
            country=register.country,
            channels=tuple(Channel(one) for one in register.channels),
            washed_on=last.get(register.id),
            is_recent=recent,
        )
        for register, recent in context.registers
        if set(register.channels) & {channel.value for channel in request.channels}
    ]


async def measure(tx: ReadTx, condition: Node) -> Standing:
    """Return how a segment's members stand, in one look at all of them."""
    people = sql.person
    found = (
        sql.members(condition, now=tx.clock.now())
        .with_only_columns(people.c.preferred_name, _score.c.score)
        .join_from(people, _score, _score.c.person_id == people.c.id, isouter=True)
        .subquery()
    )
    row = plain(
        await tx.execute(
            select(
                func.count(),
                func.count().filter(found.c.preferred_name == literal("", String())),
                func.count(found.c.score),
                func.avg(found.c.score),
                func.count().filter(found.c.score < LOW_SCORE),
            ).select_from(found)
        )
    )[0]
    return Standing(
        members=row[0],
        nameless=row[1],
        duplicates=await _count_duplicates(tx, condition),
        scored=row[2],
        mean_score=None if row[3] is None else round(row[3]),
        low_scores=row[4],
    )


async def _count_duplicates(tx: ReadTx, condition: Node) -> int:
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
