"""Which ways lead out of a step, by name: what the checker follows, the drawing shows and a visit is remembered by."""

from collections.abc import Iterator

from campaign_svc.programmes.schemas.conditions import All, AnyOf, Condition, Heard, Not
from campaign_svc.programmes.schemas.graph import (
    Accept,
    AnyStep,
    Ask,
    Branch,
    Graph,
    Match,
    Wait,
    WaitFor,
    WaitUntil,
)

NEXT, TIMED_OUT, OTHERWISE = "next", "timed_out", "otherwise"
ACCEPTED, OBJECTED = "accepted", "objected"
ACCEPTANCE, OBJECTION, ORDERED = "offer.accepted", "offer.objected", "order.placed"
NEED = "need.learned"
_LEADING = frozenset({
    NEXT, TIMED_OUT, OTHERWISE, ACCEPTED, OBJECTED, "answered", "nothing", "passed", "to", "unknown",
})  # fmt: skip
_BY_WORD = frozenset({"answers", "reasons"})
"""Fields of steps that name a step, and those that name one for each of several words."""
OWN = "#"
"""Ends the name under which a run remembers an event that named its own order or contract."""


def answer_to(question: str) -> str:
    """Return the name of the event that somebody has answered a question."""
    return f"answer.{question}"


def date_event(name: str) -> str:
    """Return the name of the event that a date of a person has changed."""
    return f"date.{name}"


def ways(step: AnyStep) -> dict[str, str]:
    """Return the ways out of a step: where in the step each is written, and the step that it leads to."""
    found = {}
    for name, value in step:
        if name in _LEADING and value is not None:
            found[name] = value
        elif name in _BY_WORD:
            found.update({f"{name}.{word}": to for word, to in value.items()})
    if isinstance(step, Branch):
        found |= {f"cases.{at}.next": case.next for at, case in enumerate(step.cases)}
    return found


def is_wait(step: AnyStep) -> bool:
    """Say whether time passes at a step, whatever is known: a date may have passed, an event have come in already."""
    return isinstance(step, Wait | Ask | Accept) or (isinstance(step, WaitFor) and not step.already)


def awaited(step: AnyStep) -> list[str]:
    """Return the events for which a step waits."""
    match step:
        case WaitFor():
            return [step.event]
        case Ask():
            return [answer_to(step.question), *([NEED] if step.about == "need" else [])]
        case Accept():
            return [ACCEPTANCE, OBJECTION, ORDERED]
        case WaitUntil():
            return [date_event(step.date)]
        case _:
            return []


def conditions_in(graph: Graph) -> Iterator[Condition]:
    """Yield every condition of a graph's branches, with every part of it."""
    for step in graph.steps.values():
        if isinstance(step, Branch):
            for case in step.cases:
                yield from clauses(case.when)


def heard_in(graph: Graph) -> list[str]:
    """Return every event that means something to runs in a graph: those are remembered, others pass by."""
    matches = any(isinstance(one, Match) for one in graph.steps.values())
    found = {NEED, ORDERED} if matches else set()
    for step in graph.steps.values():
        found.update(awaited(step))
    found.update(one.event for one in conditions_in(graph) if isinstance(one, Heard))
    return sorted(found)


def clauses(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and every part of it."""
    yield condition
    parts = condition.of if isinstance(condition, All | AnyOf) else []
    for part in [condition.of] if isinstance(condition, Not) else parts:
        yield from clauses(part)
