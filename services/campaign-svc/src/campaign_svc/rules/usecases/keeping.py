"""How rules are made, judged, changed, paused and ended."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.actions.schemas import AskerKind
from campaign_svc.actions.usecases import check_action
from campaign_svc.rules import circles, events
from campaign_svc.rules.errors import RuleEnded, RuleNotReady, RuleTriggersItself, RuleUnknown
from campaign_svc.rules.model import Rule
from campaign_svc.rules.schemas import RuleIn, RuleState, SegmentTrigger
from kantis_contracts.contacts import ConditionVerdict
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def make_rule(tx: Tx, body: RuleIn, *, kind: AskerKind = AskerKind.RULE) -> Rule:
    """Make a rule; it acts when the register has accepted its condition.

    Raises:
        ActionNotAvailable: the programme or the series of coupons that it names is not there.
        TemplateSells: it needs no permission by its class, and its template is written to sell.
        RuleTriggersItself: what it does would have it begin again.
    """
    await check_action(tx, body.action)
    now = tx.clock.now()
    rule = Rule(
        id=new_id(),
        version=1,
        kind=kind.value,
        created_by=tx.actor,
        created_at=now,
        updated_at=now,
        **_values(body, None),
    )
    await _refuse_circle(tx, rule)
    tx.add(rule)
    await tx.flush()
    _tell(tx, rule)
    tx.audit("rule.make", str(rule.id), name=rule.name)
    return rule


async def change_rule(tx: Tx, rule: Rule, body: RuleIn) -> None:
    """Replace a locked rule; what it has decided stays, in the version that did.

    Raises:
        RuleEnded: it has ended.
        ActionNotAvailable: the programme or the series of coupons that it names is not there.
        TemplateSells: it needs no permission by its class, and its template is written to sell.
        RuleTriggersItself: what it does would have it begin again.
    """
    _require_open(rule)
    await check_action(tx, body.action)
    for name, value in _values(body, rule).items():
        setattr(rule, name, value)
    rule.version, rule.updated_at = rule.version + 1, tx.clock.now()
    await _refuse_circle(tx, rule)
    _tell(tx, rule)
    tx.audit("rule.change", str(rule.id), version=rule.version)


def _values(body: RuleIn, rule: Rule | None) -> dict[str, Any]:
    trigger = body.on.model_dump(mode="json")
    named = body.on.segment_id if isinstance(body.on, SegmentTrigger) else None
    condition = trigger.get("condition")
    segment_id = named
    if condition is not None:
        had_own = rule is not None and rule.trigger.get("condition") is not None
        segment_id = rule.segment_id if rule is not None and had_own else new_id()
    ops, lists = circles.named_in(condition or {})
    waits = RuleState.PAUSED if body.is_paused else RuleState.ACTIVE
    return {
        "name": body.name,
        "state": (RuleState.CHECKING if segment_id else waits).value,
        "is_paused": body.is_paused,
        "problem": "",
        "trigger": trigger,
        "segment_id": segment_id,
        "in_words": "",
        "reads": sorted(circles.reads_of(ops, lists)),
        "action": body.action.model_dump(mode="json"),
        "re_entry": body.re_entry.value,
        "cool_down_hours": body.cool_down_hours,
        "priority": body.priority,
        "valid_from": body.valid_from,
        "valid_to": body.valid_to,
    }


def _tell(tx: Tx, rule: Rule, *, is_active: bool = True) -> None:
    told = events.rule_changed(rule, is_active=is_active)
    if told is not None:
        tx.stage(told)


async def _find_circle(tx: Tx, rule: Rule) -> list[str]:
    others = await tx.scalars(
        select(Rule).where(
            col(Rule.state).in_([RuleState.CHECKING.value, RuleState.ACTIVE.value]),
            col(Rule.id) != rule.id,
        )
    )
    return circles.find_circle(rule.link, [one.link for one in others])


async def _refuse_circle(tx: Tx, rule: Rule) -> None:
    names = await _find_circle(tx, rule)
    if names:
        raise RuleTriggersItself(circles.in_words(names), rules=names)


async def take_verdicts(tx: Tx, verdicts: Sequence[ConditionVerdict]) -> None:
    """Let rules begin whose conditions were accepted; those that are refused say why."""
    for verdict in sorted(verdicts, key=lambda one: one.rule_id):
        rule = await _locked(tx, verdict.rule_id)
        if rule is None or rule.version != verdict.version or rule.state != RuleState.CHECKING:
            continue
        if not verdict.is_accepted:
            rule.state, rule.problem = RuleState.REFUSED.value, verdict.problem
            continue
        rule.in_words = verdict.in_words or verdict.segment_name
        rule.reads = sorted(circles.reads_of(verdict.reads, verdict.lists))
        # Only the register knows what the segments ask for that a condition names.
        names = await _find_circle(tx, rule)
        if names:
            rule.state, rule.problem = RuleState.REFUSED.value, circles.in_words(names)
            rule.version += 1
            _tell(tx, rule, is_active=False)
        else:
            rule.state = (RuleState.PAUSED if rule.is_paused else RuleState.ACTIVE).value


async def lock_rule(tx: Tx, rule_id: UUID, *, kind: str = "rule") -> Rule:
    """Return a rule, locked. Raises `RuleUnknown`."""
    rule = await _locked(tx, rule_id)
    if rule is None or rule.kind != kind:
        raise RuleUnknown(f"There is no {kind} {rule_id}")
    return rule


async def _locked(tx: Tx, rule_id: UUID) -> Rule | None:
    rows = await tx.scalars(
        select(Rule)
        .where(col(Rule.id) == rule_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rule: Rule | None = rows.first()
    return rule


def pause_rule(tx: Tx, rule: Rule) -> None:
    """Have a locked rule do nothing for now; what it would have acted on is kept with its decision.

    Raises:
        RuleEnded: it has ended.
        RuleNotReady: it does nothing anyhow.
    """
    _require_ready(rule)
    rule.state, rule.is_paused = RuleState.PAUSED.value, True
    rule.updated_at = tx.clock.now()
    tx.audit("rule.pause", str(rule.id))


def resume_rule(tx: Tx, rule: Rule) -> None:
    """Have a locked rule act on what becomes true from now on.

    Raises:
        RuleEnded: it has ended.
        RuleNotReady: its condition was not accepted.
    """
    _require_ready(rule)
    rule.state, rule.is_paused = RuleState.ACTIVE.value, False
    rule.updated_at = tx.clock.now()
    tx.audit("rule.resume", str(rule.id))


def end_rule(tx: Tx, rule: Rule) -> None:
    """End a locked rule for good; what it has done stays."""
    if rule.state == RuleState.ENDED:
        return
    rule.state, rule.version, rule.updated_at = (
        RuleState.ENDED.value,
        rule.version + 1,
        tx.clock.now(),
    )
    _tell(tx, rule, is_active=False)
    tx.audit("rule.end", str(rule.id))


def _require_open(rule: Rule) -> None:
    if rule.state == RuleState.ENDED:
        raise RuleEnded("Make another one; what this one has done stays to be read")


def _require_ready(rule: Rule) -> None:
    _require_open(rule)
    if rule.state in (RuleState.CHECKING, RuleState.REFUSED):
        raise RuleNotReady(
            rule.problem or "Its condition is being looked at; ask again in a moment"
        )
