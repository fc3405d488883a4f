"""What a rule would have done: asked of the register, which keeps the facts with their moments."""

from datetime import timedelta

from sqlalchemy import DateTime, Uuid, column, literal, select
from sqlalchemy.dialects.postgresql import insert

from campaign_svc.rules import events
from campaign_svc.rules.errors import NothingToRehearse, RuleNotReady
from campaign_svc.rules.model import Rehearsal, RehearsalEntry, Rule
from campaign_svc.rules.schemas import RehearsalIn, RuleState
from kantis_contracts.contacts import RehearsalCountedV1
from kantis_kit.db.sets import row_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def rehearse(tx: Tx, rule: Rule, body: RehearsalIn) -> Rehearsal:
    """Ask what a rule would have done in the last days.

    Raises:
        NothingToRehearse: it waits for what is told from outside, of which no history is kept.
        RuleNotReady: its condition has not been accepted.
    """
    if rule.segment_id is None or rule.trigger["type"] != "segment":
        raise NothingToRehearse(
            "It acts on what is told from outside; nothing of that is kept before it"
        )
    if rule.state not in (RuleState.ACTIVE, RuleState.PAUSED):
        raise RuleNotReady(
            rule.problem or "Its condition is being looked at; ask again in a moment"
        )
    now = tx.clock.now()
    rehearsal = Rehearsal(
        id=new_id(),
        rule_id=rule.id,
        since=now - timedelta(days=body.days),
        until=now,
        asked_by=tx.actor,
        asked_at=now,
    )
    tx.add(rehearsal)
    tx.stage(events.rehearsal_requested(rehearsal, rule))
    return rehearsal


async def take_rehearsal(tx: Tx, event: RehearsalCountedV1) -> None:
    """Keep a part of the register's answer; parts come in any order."""
    rehearsal = await tx.get(Rehearsal, event.rehearsal_id)
    if rehearsal is None:
        return
    rehearsal.entries, rehearsal.listed = event.entries, event.listed
    rehearsal.as_now, rehearsal.problem = list(event.as_now), event.problem
    new = row_set(
        "new",
        (column("person_id", Uuid), column("at", DateTime(timezone=True))),
        [(one.person_id, one.at) for one in event.items if one.person_id is not None],
    )
    await tx.execute(
        insert(RehearsalEntry)
        .from_select(
            ["rehearsal_id", "person_id", "at"],
            select(literal(event.rehearsal_id, Uuid()), new.c.person_id, new.c.at),
        )
        .on_conflict_do_nothing()
    )
