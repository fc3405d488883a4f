"""How a run walks: from step to step until it has to wait or ends. Pure: what it knows of the world is handed in.

What it does on its way is returned as acts; each has an id that follows from the run and the number of the step, so that
whatever is done twice is done once.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from campaign_svc.programmes import ways as w
from campaign_svc.programmes.judging import holds
from campaign_svc.programmes.moments import moment_of, over_at
from campaign_svc.programmes.runs import Walker, World
from campaign_svc.programmes.schemas.graph import (
    Accept,
    AnyStep,
    Ask,
    Branch,
    Content,
    Do,
    End,
    Goal,
    Graph,
    Loop,
    Match,
    Message,
    Objection,
    Offer,
    Wait,
    WaitFor,
    WaitUntil,
)

Doing = Message | Ask | Offer | Content | Do
"""Steps that do something outside of the run."""
WAITS = ""
"""The way of a step that is waited in."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was gone through, and by which way out of it."""

    number: int
    name: str
    kind: str
    way: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a step does outside of the run."""

    id: UUID
    step: str
    what: Doing
    facts: dict[str, Any]


@dataclass(slots=True)
class Walk:
    """What came of a walk."""

    steps: list[Step] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)


def walk(run: Walker, graph: Graph, world: World) -> Walk:
    """Take a run on until it waits or ends; a graph that was checked always comes to one of these."""
    done = Walk()
    while True:
        step = graph.steps[run.step]
        if run.is_inside:
            way = _resume(step, run, world)
        else:
            run.number += 1
            way = _begin(step, run, world, done)
        run.woken_by = ""
        run.is_inside = way == WAITS
        if run.is_inside:
            return done
        done.steps.append(Step(run.number, run.step, step.kind, way))
        run.due_at, run.waits_for, run.own_key = None, [], False
        to = w.ways(step).get(way)
        if to is None:
            run.has_ended = True
            return done
        run.step = to


def _begin(step: AnyStep, run: Walker, world: World, done: Walk) -> str:
    if isinstance(step, Offer) and step.product_id is not None:
        run.facts["product"] = str(step.product_id)
    if isinstance(step, Doing):
        facts = dict(run.facts)
        done.acts.append(Act(step_id(run.id, run.number), run.step, step, facts))
    match step:
        case Ask() | Accept() | WaitFor():
            return _await(step, run, world)
        case Wait():
            home = world.zones.get(run.person_id, "")
            run.due_at = over_at(
                world.now, days=step.days, hours=step.hours, at=step.at, weekdays=step.weekdays, zone=home
            )  # fmt: skip
            return WAITS
        case WaitUntil():
            return _until(step, run, world)
        case Message() | Content() | Do() | Offer():
            return w.NEXT
        case _:
            return _decide(step, run, world)


def step_id(run_id: UUID, number: int) -> UUID:
    """Return the id of a step of a run: the same, however often a worker dies over it."""
    return uuid5(run_id, str(number))


def _await(step: Ask | Accept | WaitFor, run: Walker, world: World) -> str:
    if isinstance(step, WaitFor):
        run.own_key = step.same_key
        if step.already and (step.event + w.OWN if step.same_key else step.event) in run.heard:
            return w.NEXT
    run.waits_for = w.awaited(step)
    run.due_at = world.now + timedelta(days=step.within_days)
    return WAITS


def _until(step: WaitUntil, run: Walker, world: World) -> str:
    on = world.dates.get((run.person_id, step.date, run.key)) or world.dates.get(
        (run.person_id, step.date, "")
    )
    if on is None:
        return "unknown"
    zone = world.zones.get(run.person_id, "")
    run.due_at = moment_of(on, days=step.days, at=step.at, zone=zone)
    if run.due_at <= world.now:
        return w.NEXT if run.is_inside or not step.passed else "passed"
    run.waits_for = w.awaited(step)
    return WAITS


def _decide(step: Branch | Match | Objection | Loop | Goal | End, run: Walker, world: World) -> str:
    match step:
        case Branch():
            held = (at for at, case in enumerate(step.cases) if holds(case.when, run, world))
            first = next(held, None)
            return w.OTHERWISE if first is None else f"cases.{first}.next"
        case Match():
            return _match(step, run, world)
        case Objection():
            reason = str(run.facts.get("objection", ""))
            return f"reasons.{reason}" if reason in step.reasons else w.OTHERWISE
        case Loop():
            return _go_round(step, run)
        case Goal():
            run.goals = list(dict.fromkeys([*run.goals, step.goal]))
            run.outcome = step.goal
            return w.NEXT
        case End():
            run.outcome = step.outcome
            return w.NEXT


def _go_round(step: Loop, run: Walker) -> str:
    passed = run.passes.get(run.step, 0)
    if step.at_most is not None and passed >= step.at_most:
        run.passes[run.step] = 0  # who comes here again begins to count anew
        return w.NEXT
    run.passes[run.step] = passed + 1
    return "to"


def _match(step: Match, run: Walker, world: World) -> str:
    for need, products in step.products.items():
        if (run.person_id, need) not in world.needs and not run.facts.get(f"need.{need}"):
            continue
        for product in products:
            if product in world.for_sale and not run.facts.get(f"bought.{product}"):
                run.facts["product"], run.facts["need"] = str(product), need
                return w.NEXT
    return "nothing"


def _resume(step: AnyStep, run: Walker, world: World) -> str:
    """Go on from where was waited: because something came in, or because the time is over."""
    match step:
        case WaitUntil():
            return _until(step, run, world)
        case Ask():
            return _answer(step, run)
        case Accept():
            if run.woken_by == w.OBJECTION:
                return w.OBJECTED
            return w.ACCEPTED if run.woken_by else w.TIMED_OUT
        case WaitFor():
            return w.NEXT if run.woken_by else w.TIMED_OUT
        case _:
            return w.NEXT


def _answer(step: Ask, run: Walker) -> str:
    if not run.woken_by:
        return w.TIMED_OUT
    word = str(run.facts.get("need" if run.woken_by == w.NEED else "answer", ""))
    if step.about == "need":
        run.facts[f"need.{word}"] = True
    run.facts[w.answer_to(step.question)] = word
    return f"answers.{word}" if word in step.answers else "answered"
