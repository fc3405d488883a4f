"""The segments on which rules of campaign-svc act: made, changed and closed as the rules are, and judged."""

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.segments import events, queries
from contacts_svc.segments.conditions import ConditionTooLarge, OnList, check_size, every
from contacts_svc.segments.model import RuleSegment, Segment
from contacts_svc.segments.schemas import Announces, SegmentIn
from contacts_svc.segments.usecases.saving import (
    change_segment,
    close_segment,
    make_segment,
    reopen_segment,
)
from kantis_contracts.campaign import RuleCard
from kantis_contracts.contacts import ConditionVerdict
from kantis_kit.errors import AppError
from kantis_kit.tx import Tx


async def follow_rules(tx: Tx, cards: Sequence[RuleCard]) -> None:
    """Keep a live segment for each rule, and answer what is thought of its condition."""
    newest = {card.rule_id: card for card in sorted(cards, key=lambda one: one.version)}
    verdicts = [
        verdict
        for rule_id in sorted(newest)
        if (verdict := await _follow(tx, newest[rule_id])) is not None
    ]
    if verdicts:
        tx.stage(events.conditions_judged(verdicts))


async def _follow(tx: Tx, card: RuleCard) -> ConditionVerdict | None:
    if not await _is_news(tx, card):
        return None
    try:
        async with tx.savepoint():
            if not card.is_active:
                await _end(tx, card)
                return None
            return await _judge(tx, card)
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(str(part) for part in found["loc"])
        return events.refused(card, f"{place}: {found['msg']}")
    except ConditionTooLarge as error:
        return events.refused(card, f"condition: {error}")
    except AppError as error:
        return events.refused(card, error.detail)


async def _is_news(tx: Tx, card: RuleCard) -> bool:
    new = insert(RuleSegment).values(
        rule_id=card.rule_id, segment_id=card.segment_id, version=card.version
    )
    taken = await tx.scalar(
        new.on_conflict_do_update(
            index_elements=["rule_id"],
            set_={"segment_id": new.excluded.segment_id, "version": new.excluded.version},
            where=col(RuleSegment.version) < new.excluded.version,
        ).returning(col(RuleSegment.rule_id))
    )
    return taken is not None


async def _judge(tx: Tx, card: RuleCard) -> ConditionVerdict:
    wanted = Announces.EVERYTHING if card.tells_present else Announces.CHANGES
    if card.condition is None:
        segment = await queries.lock_segment(tx, card.segment_id)
    else:
        check_size(card.condition)
        name = f"Rule: {card.name}"[:200]
        body = SegmentIn.model_validate({"name": name, "condition": card.condition})
        if await tx.get(Segment, card.segment_id) is None:
            segment = await make_segment(tx, body, segment_id=card.segment_id)
        else:
            await reopen_segment(tx, card.segment_id)
            segment = await queries.lock_segment(tx, card.segment_id)
            await change_segment(tx, segment, body)
    if card.follows_members:
        segment.announces = Announces.EVERYTHING.value
    elif segment.explains != Announces.EVERYTHING:
        segment.explains = wanted.value
    await tx.flush()  # what it names is read from the tables
    clauses = list(every(await queries.condition_of(tx, segment)))
    return events.accepted(
        card,
        segment,
        in_words=queries.in_words(segment),
        reads=sorted({str(getattr(node, "op", "")) for node in clauses} - {"", "nested"}),
        lists=sorted({node.list_id for node in clauses if isinstance(node, OnList)}),
    )


async def _end(tx: Tx, card: RuleCard) -> None:
    """Close the segment that was made for the rule; one that others name, or that was there before, stays."""
    if card.condition is not None and await queries.find_segment(tx, card.segment_id) is not None:
        await close_segment(tx, await queries.lock_segment(tx, card.segment_id))
