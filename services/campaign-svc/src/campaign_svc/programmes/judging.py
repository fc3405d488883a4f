"""Whether a condition of a branch holds for a run."""

from datetime import datetime, timedelta

from campaign_svc.programmes.runs import Walker, World
from campaign_svc.programmes.schemas.conditions import (
    All,
    AnyOf,
    Asked,
    Condition,
    Fact,
    Heard,
    InSegment,
    Not,
    Reached,
)


def holds(condition: Condition, run: Walker, world: World) -> bool:
    """Say whether a condition holds for a run now."""
    match condition:
        case All():
            return all(holds(part, run, world) for part in condition.of)
        case AnyOf():
            return any(holds(part, run, world) for part in condition.of)
        case Not():
            return not holds(condition.of, run, world)
        case _:
            return _is_true(condition, run, world)


def _is_true(clause: InSegment | Asked | Heard | Fact | Reached, run: Walker, world: World) -> bool:
    match clause:
        case InSegment() | Asked():
            return (clause.segment_id, run.person_id) in world.members
        case Heard():
            return _was_heard(clause, run.heard.get(clause.event), world.now)
        case Fact():
            return _is_so(clause, run.facts.get(clause.name))
        case Reached():
            return clause.goal in run.goals


def _was_heard(clause: Heard, at: str | None, now: datetime) -> bool:
    if at is None or clause.within_days is None:
        return at is not None
    return now - datetime.fromisoformat(at) <= timedelta(days=clause.within_days)


def _is_so(fact: Fact, known: object) -> bool:
    if fact.has == "known":
        return known is not None
    if fact.has == "equal":
        return known is not None and known == fact.value
    # What cannot be compared is neither more nor less: a truth is no number.
    if any(not isinstance(one, int) or isinstance(one, bool) for one in (known, fact.value)):
        return False
    assert isinstance(known, int)  # noqa: S101 - narrows the type, as looked at above
    assert isinstance(fact.value, int)  # noqa: S101 - narrows the type, as looked at above
    return known >= fact.value if fact.has == "at_least" else known <= fact.value
