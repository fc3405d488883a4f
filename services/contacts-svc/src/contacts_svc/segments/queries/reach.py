"""Reads of whom an audience reaches, why not the others, and how good what is known of its members is."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, false, func, not_, or_, select, true

from contacts_svc.base import plain, table_of
from contacts_svc.facts.model import MessageFact
from contacts_svc.permissions import decide_sql
from contacts_svc.permissions.decide import CONSENT_BASIS
from contacts_svc.permissions.decide_sql import About
from contacts_svc.permissions.gather import last_washes
from contacts_svc.permissions.model import ASKED_FIRST, LedgerEntry, PermissionNow
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import All, InDunning, InSegment, Node, Not
from contacts_svc.segments.model import Standing
from contacts_svc.segments.queries.trees import resolve
from kantis_contracts.campaign import AudienceRequest, PreflightRequest
from kantis_contracts.contacts import ChannelReach, Exclusion, RegisterWash, Route, RouteGroup
from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx

LOW_SCORE = 50
"""Below this many percent the data of a person count as poor."""
LATELY = timedelta(days=7)
"""The time in which many messages tire."""
_NO_NAMES = (
    "test", "ukjent", "okänd", "ukendt", "tuntematon", "unknown", "none", "null", "n/a", "-",
)  # fmt: skip
_score: Table = table_of(QualityScore)
_message: Table = table_of(MessageFact)
_permission: Table = table_of(PermissionNow)
_ledger: Table = table_of(LedgerEntry)
_DEBTOR = InDunning(op="dunning")
Request = PreflightRequest | AudienceRequest


class Audience:
    """A segment without those whom a campaign leaves out."""

    def __init__(self, whole: Node, left_out: Sequence[tuple[Exclusion, Node]]) -> None:
        self.whole = whole
        self.left_out = left_out

    @property
    def kept(self) -> Node:
        """The condition of the members who stay."""
        if not self.left_out:
            return self.whole
        # What was resolved holds parts that nobody may send: it is put together without being checked again.
        parts: list[Any] = [self.whole]
        for _, node in self.left_out:
            part: Any = node
            parts.append(Not.model_construct(op="not", of=part))
        return All.model_construct(op="all", of=parts)


async def audience_of(tx: ReadTx, condition: Node, request: Request) -> Audience:
    """Return the audience that a request asks for; the condition is one that was resolved."""
    left_out: list[tuple[Exclusion, Node]] = []
    for segment_id in request.without_segments:
        named = await resolve(tx, InSegment(op="segment", segment_id=segment_id))
        left_out.append((Exclusion(reason="segment", segment_id=segment_id, people=0), named))
    if request.without_debtors:
        left_out.append((Exclusion(reason="debtor", people=0), _DEBTOR))
    return Audience(condition, left_out)


def about_of(request: Request, channel: Channel) -> About:
    """Return what is asked of a permission."""
    return About(channel, request.purpose, request.topic or None, request.list_id)


async def count_reach(
    tx: ReadTx, condition: Node, request: PreflightRequest
) -> tuple[list[ChannelReach], list[RouteGroup]]:
    """Return per channel how many are reached and why others are not, and everybody who is reached by route.

    One look at all of them: each person is judged for every channel, and counted with those who stand the same.
    """
    context = await decide_sql.load(tx)
    found = sql.routes(
        context,
        [about_of(request, channel) for channel in request.channels],
        sql.clause(condition, now=context.at, sweep=True),
    )
    rows = plain(
        await tx.execute(found.of_all(found.spelled.label("route"), func.count()).group_by("route"))
    )
    excluded: dict[Channel, Counter[str]] = {channel: Counter() for channel in request.channels}
    reachable: Counter[Channel] = Counter()
    groups: Counter[tuple[tuple[Channel, ...], tuple[Channel, ...], int]] = Counter()
    for spelled, people in rows:
        route = sql.read_route(spelled, request.channels)
        for channel in route.reached:
            reachable[channel] += people
        for channel, reason in route.missed.items():
            excluded[channel][reason] += people
        if route.reached:
            # What is missed, and liked in vain, makes no difference to the choice of a channel.
            liked = tuple(channel for channel in route.wished if channel in route.reached)
            groups[route.reached, liked, route.worth] += people
    return (
        [
            ChannelReach(channel=channel, reachable=reachable[channel], excluded=dict(reasons))
            for channel, reasons in excluded.items()
        ],
        [
            RouteGroup(route=Route(reached=reached, wished=liked, worth=worth), people=people)
            for (reached, liked, worth), people in groups.items()
        ],
    )


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


async def measure(tx: ReadTx, audience: Audience, request: PreflightRequest) -> Standing:
    """Return how an audience's members stand, in one look at all of them and one at each table beside."""
    people, now = sql.person, tx.clock.now()
    excluded = [sql.clause(node, now=now, sweep=True) for _, node in audience.left_out]
    tired = (
        select(_message.c.person_id)
        .where(_message.c.at >= now - LATELY, _message.c.state == "accepted")
        .group_by(_message.c.person_id)
        .having(func.count() >= max(1, request.tired_from))
        .subquery("tired")
    )
    is_tired = tired.c.person_id.is_not(None) if request.tired_from else false()
    tables = people.outerjoin(_score, _score.c.person_id == people.c.id)
    if request.tired_from:
        tables = tables.outerjoin(tired, tired.c.person_id == people.c.id)
    is_kept = and_(true(), *(not_(one) for one in excluded))
    found = (
        select(
            people.c.language,
            people.c.preferred_name,
            _is_doubtful().label("doubtful"),
            _score.c.score,
            is_tired.label("tired"),
            sql.clause(_DEBTOR, now=now, sweep=True).label("debtor"),
            is_kept.label("kept"),
            *(one.label(f"out_{place}") for place, one in enumerate(excluded)),
        )
        .select_from(tables)
        .where(~people.c.is_erased, sql.clause(audience.whole, now=now, sweep=True))
        .subquery("member")
    )
    kept = found.c.kept
    rows = plain(
        await tx.execute(
            select(
                found.c.language,
                func.count().filter(kept),
                func.count().filter(kept, found.c.preferred_name == ""),
                func.count().filter(kept, found.c.doubtful),
                func.count().filter(kept, found.c.tired),
                func.count().filter(found.c.debtor),
                func.count(found.c.score).filter(kept),
                func.coalesce(func.sum(found.c.score).filter(kept), 0),
                func.count().filter(kept, found.c.score < LOW_SCORE),
                *(func.count().filter(found.c[f"out_{n}"]) for n in range(len(excluded))),
            ).group_by(found.c.language)
        )
    )
    totals = [sum(values) for values in zip(*(row[1:] for row in rows), strict=True)]
    members, nameless, doubtful, worn, debtors, scored, score, low, *out = totals or [0] * (
        8 + len(excluded)
    )
    consents, without_text = await _count_texts(tx, audience.kept, request)
    return Standing(
        members=members,
        nameless=nameless,
        doubtful=doubtful,
        tired=worn,
        debtors=debtors,
        duplicates=await _count_duplicates(tx, audience.kept),
        scored=scored,
        mean_score=round(score / scored) if scored else None,
        low_scores=low,
        languages={row[0]: row[1] for row in rows if row[1]},
        left_out=out,
        consents=consents,
        without_text=without_text,
    )


def _is_doubtful() -> ColumnElement[bool]:
    """Return what holds for names to be called by that hold no name, or the family's."""
    name = sql.person.c.preferred_name
    return and_(
        name != "",
        or_(
            name.regexp_match(r"[0-9@/\\<>{}]"),
            func.char_length(name) == 1,
            func.lower(name).in_(_NO_NAMES),
            and_(
                func.lower(name) == func.lower(sql.person.c.family_name),
                sql.person.c.given_name != "",
            ),
        ),
    )


async def _count_texts(tx: ReadTx, condition: Node, request: PreflightRequest) -> tuple[int, int]:
    """Return how many consents there are for channels that need one, and of how many no shown text is kept."""
    asked = [channel.value for channel in request.channels if channel in ASKED_FIRST]
    row = plain(
        await tx.execute(
            select(func.count(), func.count().filter(_ledger.c.text_shown == ""))
            .select_from(_permission.join(_ledger, _ledger.c.id == _permission.c.ledger_id))
            .where(
                _permission.c.channel.in_(asked),
                _permission.c.purpose == request.purpose.value,
                _permission.c.state == "granted",
                _permission.c.legal_basis == CONSENT_BASIS,
                _permission.c.person_id.in_(sql.members(condition, now=tx.clock.now())),
            )
        )
    )[0]
    return int(row[0]), int(row[1])


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
