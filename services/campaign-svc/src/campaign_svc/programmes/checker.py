"""Refuses programmes that cannot run: ways that lead nowhere, steps that nobody comes to, circles without a wait."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from campaign_svc.actions.schemas import why_not_class
from campaign_svc.programmes.schemas.graph import (
    Accept,
    Do,
    EventTrigger,
    Graph,
    Match,
    Message,
    Objection,
    Offer,
    Speaking,
    WaitFor,
)
from campaign_svc.programmes.ways import is_wait, ways
from kantis_contracts.values import MessageClass

_ASKED_FOR = frozenset({"form", "order"})
"""Triggers by which a person has asked for something, and waits for it."""
_KEY_SOURCES = {"order": ("order", "hand"), "contract": ("date", "event", "hand")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the field of the graph, a stable code, and a sentence with how to mend it."""

    field: str
    code: str
    message: str


def check(graph: Graph) -> list[Finding]:
    """Return everything that is wrong with a graph; nothing, when it can run."""
    nowhere = list(_nowhere(graph))
    if nowhere:
        return nowhere  # what else is asked follows the ways, and these lead nowhere
    return [*_unreached(graph), *_circles(graph), *_without_source(graph), *_classes(graph)]


def _nowhere(graph: Graph) -> Iterator[Finding]:
    """Find ways that lead to steps which are not there: dead ends."""
    targets = {"start": graph.start} | {
        f"steps.{name}.{way}": to for name, step in graph.steps.items() for way, to in ways(step).items()
    }  # fmt: skip
    for field, to in targets.items():
        if to not in graph.steps:
            message = f"leads to {to}, which is no step: a dead end. Add that step, or name another"
            yield Finding(field, "dead_end", message)


def _unreached(graph: Graph) -> Iterator[Finding]:
    reached = _reached_from(graph, graph.start)
    for name in graph.steps:
        if name not in reached:
            message = "nobody comes to this step. Lead a way to it, or remove it"
            yield Finding(f"steps.{name}", "unreachable", message)


def _reached_from(graph: Graph, start: str) -> set[str]:
    found, left = {start}, [start]
    while left:
        fresh = set(ways(graph.steps[left.pop()]).values()) - found
        found |= fresh
        left.extend(fresh)
    return found


def _circles(graph: Graph) -> Iterator[Finding]:
    """Find circles on which no time passes: whoever came in would go round for ever at once."""
    hurried = {
        name: [to for to in ways(step).values() if not is_wait(graph.steps[to])]
        for name, step in graph.steps.items()
        if not is_wait(step)
    }
    told: set[str] = set()
    for name in hurried:
        circle = [] if name in told else _circle_from(hurried, name)
        if circle:
            told.update(circle)
            way = " → ".join([*circle, circle[0]])
            message = f"{way} goes round for ever without a wait. Put a wait into the circle"
            yield Finding(f"steps.{circle[0]}", "endless_loop", message)


def _circle_from(leads: Mapping[str, Collection[str]], start: str) -> list[str]:
    """Return the shortest circle from a step back to itself, or nothing."""
    ways_there: list[list[str]] = [[start]]
    seen: set[str] = set()
    for way in ways_there:
        for to in leads[way[-1]]:
            if to == start:
                return way
            if to not in seen:
                seen.add(to)
                ways_there.append([*way, to])
    return []


def _without_source(graph: Graph) -> Iterator[Finding]:
    """Find what could never come true: keys that the trigger has not, products and objections from nowhere."""
    if graph.key != "person" and graph.trigger.on not in _KEY_SOURCES[graph.key]:
        triggers = " or ".join(_KEY_SOURCES[graph.key])
        message = (
            f"a run per {graph.key} needs a trigger that names one: {triggers}; or key: person"
        )
        yield Finding("key", "key_without_source", message)
    kinds = {type(step) for step in graph.steps.values()}
    for name, step in graph.steps.items():
        field = f"steps.{name}"
        if isinstance(step, Offer) and step.product_id is None and Match not in kinds:
            message = "no product: name product_id, or put a match step before the offer"
            yield Finding(f"{field}.product_id", "no_product", message)
        if isinstance(step, Objection) and Accept not in kinds:
            message = "no step waits for an objection: put an accept step before it"
            yield Finding(field, "no_objection", message)
        if isinstance(step, WaitFor) and step.same_key and graph.key == "person":
            message = "same_key needs runs per order or contract; set the programme's key, or leave it out"
            yield Finding(f"{field}.same_key", "no_key", message)


def _classes(graph: Graph) -> Iterator[Finding]:
    """Find what would be told without permission though it sells, or though nothing asks for it."""
    trigger = graph.trigger
    has_signed_up = isinstance(trigger, EventTrigger) and trigger.event.startswith("signed_up.")
    allowed = {MessageClass.SERVICE}
    if trigger.on in _ASKED_FOR or has_signed_up or graph.key != "person":
        allowed.add(MessageClass.TRANSACTIONAL)
    for name, step in graph.steps.items():
        if isinstance(step, Do):
            field, message = (
                "action",
                why_not_class(step.action, frozenset(allowed), f"the trigger {trigger.on}"),
            )
        elif isinstance(step, Speaking):
            may = frozenset(allowed if isinstance(step, Message) else ())
            where = f"the trigger {trigger.on}" if may else f"a step of the kind {step.kind}"
            field, message = "say", why_not_class(step.say, may, where)
        else:
            continue
        if message:
            yield Finding(f"steps.{name}.{field}.message_class", "class_not_allowed", message)
