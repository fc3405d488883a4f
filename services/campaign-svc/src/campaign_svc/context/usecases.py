"""From what is told of people and organisations to the rules that wait for it, at once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.context.model import RoleCard
from campaign_svc.context.schemas import (
    CameOfIt,
    CompanyEventIn,
    CompanyEventsIn,
    ContextIn,
    ContextsIn,
    TakenOut,
)
from campaign_svc.rules.errors import MomentOutside
from campaign_svc.rules.model import Rule
from campaign_svc.rules.policy import SENTENCES
from campaign_svc.rules.schemas import Decision, RuleState
from campaign_svc.rules.usecases import Happening, fire, members_among
from kantis_contracts.contacts import LinkCard
from kantis_kit.db.sets import one_of
from kantis_kit.tx import Tx

CLOCKS_DIFFER = timedelta(minutes=2)
"""So far another clock may be ahead of ours."""


async def take_contexts(tx: Tx, body: ContextsIn) -> TakenOut:
    """Have rules act that wait for what is told of people's situation.

    What no rule waits for is not kept: where people are is nobody's business.

    Raises:
        MomentOutside: one of the moments lies in the future.
    """
    _refuse_future(tx, body.items)
    told: list[CameOfIt] = []
    for rule in await _waiting(tx, "context", {item.kind for item in body.items}):
        mine = [item for item in body.items if _is_waited_for(rule, item)]
        told += await _act(tx, rule, [_situation(tx, rule, body.source, item) for item in mine])
    return TakenOut(taken_at=tx.clock.now(), decisions=told)


async def take_company_events(tx: Tx, body: CompanyEventsIn) -> TakenOut:
    """Have rules act that wait for news of organisations, about those who have a role there.

    Raises:
        MomentOutside: one of the moments lies in the future.
    """
    _refuse_future(tx, body.items)
    people = await _people_of(tx, {item.organisation_id for item in body.items})
    told: list[CameOfIt] = []
    for rule in await _waiting(tx, "company", {item.kind for item in body.items}):
        roles = set(rule.trigger["roles"])
        news = [
            _news(body.source, item, person_id)
            for item in body.items
            if item.kind == rule.trigger["kind"]
            for person_id, role in people[item.organisation_id]
            if not roles or role in roles
        ]
        told += await _act(tx, rule, news)
    return TakenOut(taken_at=tx.clock.now(), decisions=told)


def _refuse_future(tx: Tx, items: Sequence[ContextIn | CompanyEventIn]) -> None:
    latest = tx.clock.now() + CLOCKS_DIFFER
    for place, item in enumerate(items):
        if item.at > latest:
            raise MomentOutside(
                f"items.{place}.at: {item.at.isoformat()} lies ahead; tell what has happened, with its offset"
            )


async def _waiting(tx: Tx, kind: str, about: set[str]) -> list[Rule]:
    rows = await tx.scalars(
        select(Rule)
        .where(
            col(Rule.state).in_([RuleState.ACTIVE.value, RuleState.PAUSED.value]),
            col(Rule.trigger)["type"].astext == kind,
            col(Rule.trigger)["kind"].astext.in_(sorted(about)),
        )
        .order_by(col(Rule.id))
        .with_for_update(key_share=True)
    )
    return list(rows)


def _is_waited_for(rule: Rule, item: ContextIn) -> bool:
    places = rule.trigger["places"]
    return item.kind == rule.trigger["kind"] and (not places or item.place in places)


Told = tuple[str, Happening]
"""What happened, with the source's id for it."""


def _situation(tx: Tx, rule: Rule, source: str, item: ContextIn) -> Told:
    is_late = tx.clock.now() - item.at > timedelta(minutes=rule.trigger["within_minutes"])
    facts = {item.kind: item.place, "at": item.at.isoformat(), **item.facts}
    return item.event_id, Happening(
        item.person_id,
        item.at,
        f"{source}|{item.event_id}",
        [{"clause": f"{item.kind} is {item.place}", "holds": True, "facts": facts}],
        facts,
        Decision.TOO_LATE if is_late else None,
    )


def _news(source: str, item: CompanyEventIn, person_id: UUID) -> Told:
    facts = {
        "organisation": str(item.organisation_id),
        "title": item.title,
        "at": item.at.isoformat(),
    }
    return item.event_id, Happening(
        person_id,
        item.at,
        f"{source}|{item.event_id}",
        [{"clause": f"{item.kind} of an organisation of theirs", "holds": True, "facts": facts}],
        facts,
    )


async def _act(tx: Tx, rule: Rule, told: Sequence[Told]) -> list[CameOfIt]:
    if not told:
        return []
    if rule.segment_id is not None:
        true_of = await members_among(tx, rule.segment_id, {one.person_id for _, one in told})
        told = [
            (key, one if one.person_id in true_of or one.forced else one.without(Decision.NOT_TRUE))
            for key, one in told
        ]
    decided = await fire(tx, [(rule, [one for _, one in told])])
    return [
        CameOfIt(
            event_id=key,
            rule_id=rule.id,
            person_id=one.person_id,
            decision=decision,
            sentence=SENTENCES[decision],
        )
        for key, one in told
        if (decision := decided.get((rule.id, one.person_id, one.occasion))) is not None
    ]


async def _people_of(
    tx: Tx, organisation_ids: set[UUID]
) -> defaultdict[UUID, list[tuple[UUID, str]]]:
    """Return who has a role in these organisations today, and may be approached there."""
    today = tx.clock.now().date()
    rows = await tx.execute(
        select(col(RoleCard.organisation_id), col(RoleCard.person_id), col(RoleCard.role))
        .where(
            col(RoleCard.organisation_id) == one_of(sorted(organisation_ids), Uuid()),
            ~col(RoleCard.is_removed),
            ~col(RoleCard.do_not_contact),
            or_(col(RoleCard.not_before).is_(None), col(RoleCard.not_before) <= today),
            or_(col(RoleCard.valid_from).is_(None), col(RoleCard.valid_from) <= today),
            or_(col(RoleCard.valid_to).is_(None), col(RoleCard.valid_to) >= today),
        )
        .order_by(col(RoleCard.link_id))
    )
    found: defaultdict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    for row in rows:
        found[row.organisation_id].append((row.person_id, row.role))
    return found


async def keep_roles(tx: Tx, cards: Sequence[LinkCard]) -> None:
    """Keep who has which role where; of two accounts the one with the higher version holds."""
    newest = {card.link_id: card for card in sorted(cards, key=lambda one: one.version)}
    if not newest:
        return
    names = tuple(RoleCard.model_fields)
    values: list[dict[str, Any]] = [
        {name: getattr(newest[link_id], name) for name in names} for link_id in sorted(newest)
    ]
    put = insert(RoleCard).values(values)
    await tx.execute(
        put.on_conflict_do_update(
            index_elements=["link_id"],
            set_={name: put.excluded[name] for name in names if name != "link_id"},
            where=col(RoleCard.version) < put.excluded.version,
        )
    )
