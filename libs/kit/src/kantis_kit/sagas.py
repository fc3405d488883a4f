"""Long transactions: one row each, moved step by step inside the transactions of their replies, undone in reverse.

A step's `act` stages what asks others for something; their answer comes back as an event whose use case calls
`advance` or `refuse`. What is refused, or not answered by the step's deadline, is compensated by the timer loop. The
events of `act` and `compensate` are delivered at least once and in any order, so whoever takes them must be idempotent
and treat an undo as final even when it comes before what it undoes. `data` holds ids, not personal data: ended rows stay.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from kantis_kit import failpoints, observability, saga_rows
from kantis_kit.db.database import is_away
from kantis_kit.saga_rows import Saga, find, list_stuck
from kantis_kit.timers import Timer, TimerHandler
from kantis_kit.tx import Scope, Tx, read

log = observability.get_logger(__name__)

TIMER = "kit.saga"
MAX_ATTEMPTS = 3
FIRST_PAUSE = timedelta(seconds=1)  # between attempts to undo a step; then four times as long
OPEN = ("running", "compensating", "stuck")
BUSY_PAUSE = timedelta(seconds=1)  # a reply holds the row: look again soon

Act = Callable[[Tx, Saga], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it asks for, how long it waits for the reply, and how it is undone."""

    name: str
    act: Act
    within: timedelta
    compensate: Act | None = None


@dataclass(frozen=True, slots=True)
class SagaDefinition:
    """A kind of long transaction: its steps in their order. Rows name steps, so a name in use is never changed."""

    kind: str
    steps: Sequence[Step]

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if not names or len(set(names)) < len(names):
            message = f"the saga {self.kind} needs steps, each with a name of its own"
            raise TypeError(message)

    def position(self, step: str) -> int:
        """Return where a step stands."""
        for position, one in enumerate(self.steps):
            if one.name == step:
                return position
        message = f"the saga {self.kind} has no step {step}"
        raise LookupError(message)


class Sagas:
    """The sagas that a service knows; its transactions find them with `tx.use(Sagas)`."""

    def __init__(self, definitions: Sequence[SagaDefinition]) -> None:
        self._known = {definition.kind: definition for definition in definitions}
        if len(self._known) < len(definitions):
            message = "two sagas have the same kind"
            raise TypeError(message)
        self.timers = (TimerHandler(TIMER, self._on_due),) if definitions else ()
        self._told = {(kind, state) for kind in self._known for state in OPEN}

    def of(self, kind: str) -> SagaDefinition:
        """Return the definition of a kind."""
        if kind not in self._known:
            message = f"this service has no saga {kind}"
            raise LookupError(message)
        return self._known[kind]

    async def tell(self, scope: Scope, service: str) -> None:
        """Set the figures of the sagas that have not ended, by kind and state; of a kind told once, 0 is told too."""
        async with read(scope) as tx:
            counts = await saga_rows.count_open(tx)
        self._told |= counts.keys()
        for kind, state in self._told:
            rows = counts.get((kind, state), 0)
            observability.saga_rows.labels(service, kind, state).set(rows)

    async def _on_due(self, tx: Tx, timers: Sequence[Timer]) -> None:
        # The timers' rows are locked already, while a reply locks its saga first and the timer then: waiting here for a
        # saga would be a deadlock, so those that are being moved are looked at again.
        ids = [UUID(timer.key) for timer in timers]
        taken = await saga_rows.take(tx, ids)
        there = {saga.id for saga in taken}
        again = tx.clock.now() + BUSY_PAUSE
        await tx.schedule_many(TIMER, [(str(id_), again, {}) for id_ in ids if id_ not in there])
        for begun in taken:
            saga = begun
            try:
                async with tx.savepoint():
                    saga = await self._expire(tx, saga)
                while saga.state == "compensating":
                    async with tx.savepoint():
                        saga = await self._undo(tx, saga)
            except Exception as error:
                if is_away(error):
                    raise
                await _count_failure(tx, saga, error)

    async def _expire(self, tx: Tx, saga: Saga) -> Saga:
        if saga.state != "running":
            return saga
        if saga.deadline_at > tx.clock.now():  # the row moved on while its timer was being taken
            await tx.schedule(TIMER, str(saga.id), saga.deadline_at)
            return saga
        # Whether the step took effect is unknown: it is undone too.
        problem = f"no reply to {saga.step} by its deadline"
        moved = await saga_rows.move(tx, saga, state="compensating", problem=problem)
        return moved or saga

    async def _undo(self, tx: Tx, saga: Saga) -> Saga:
        definition = self.of(saga.kind)
        position = definition.position(saga.step)
        undo = definition.steps[position].compensate
        if undo is not None:
            await undo(tx, saga)
        await failpoints.reach(f"saga.undone.{saga.step}")
        if position == 0:
            moved = await saga_rows.move(tx, saga, state="compensated")
        else:
            moved = await saga_rows.move(tx, saga, step=definition.steps[position - 1].name)
        if moved is None:
            message = f"the saga {saga.id} was moved by somebody else"
            raise RuntimeError(message)
        return moved


async def start(tx: Tx, kind: str, key: str, data: Mapping[str, Any] | None = None) -> Saga:
    """Begin the saga (kind, key) and its first step; one that was begun already is returned as it stands."""
    first = tx.use(Sagas).of(kind).steps[0]
    deadline = tx.clock.now() + first.within
    saga = await saga_rows.insert(tx, kind, key, step=first.name, deadline=deadline, data=data)
    if saga is None:
        begun = await find(tx, kind, key)
        if begun is None:  # rows are never deleted
            message = f"the saga {kind} {key} is gone"
            raise RuntimeError(message)
        return begun
    await tx.schedule(TIMER, str(saga.id), saga.deadline_at)
    await first.act(tx, saga)
    return saga


async def advance(
    tx: Tx, kind: str, key: str, step: str, data: Mapping[str, Any] | None = None
) -> bool:
    """Take the good reply to a step, add `data` to the saga's, begin the next step or complete.

    Returns whether the saga moved: a reply that comes twice, late or to nobody is ignored.
    """
    definition = tx.use(Sagas).of(kind)
    following = definition.steps[definition.position(step) + 1 :][:1]
    saga = await _waiting(tx, kind, key, step)
    if saga is None:
        return False
    if not following:
        moved = await saga_rows.move(tx, saga, state="completed", data=data)
        if moved is not None:
            await tx.cancel(TIMER, [str(saga.id)])
        return moved is not None
    deadline = tx.clock.now() + following[0].within
    moved = await saga_rows.move(tx, saga, step=following[0].name, deadline=deadline, data=data)
    if moved is None:
        return False
    await tx.schedule(TIMER, str(saga.id), deadline)
    await following[0].act(tx, moved)
    return True


async def refuse(tx: Tx, kind: str, key: str, step: str, problem: str) -> bool:
    """Take the reply that a step cannot be done: what the steps before it did is undone.

    Returns whether the saga moved: a reply that comes twice, late or to nobody is ignored.
    """
    definition = tx.use(Sagas).of(kind)
    position = definition.position(step)
    saga = await _waiting(tx, kind, key, step)
    if saga is None:
        return False
    if position == 0:
        moved = await saga_rows.move(tx, saga, state="compensated", problem=problem)
        if moved is not None:
            await tx.cancel(TIMER, [str(saga.id)])
        return moved is not None
    before = definition.steps[position - 1].name
    moved = await saga_rows.move(tx, saga, state="compensating", step=before, problem=problem)
    if moved is not None:
        await tx.schedule(TIMER, str(saga.id), tx.clock.now())
    return moved is not None


async def resume(tx: Tx, ids: Sequence[UUID] | None = None) -> int:
    """Try the compensation of stuck sagas again, once its cause is mended; of all of them when no ids are given."""
    freed = await saga_rows.unstick(tx, ids)
    now = tx.clock.now()
    await tx.schedule_many(TIMER, [(str(id_), now, {}) for id_ in freed])
    for id_ in freed:
        tx.audit("saga.resume", str(id_))
    return len(freed)


async def _waiting(tx: Tx, kind: str, key: str, step: str) -> Saga | None:
    saga = await find(tx, kind, key)
    return saga if saga and saga.state == "running" and saga.step == step else None


async def _count_failure(tx: Tx, saga: Saga, error: Exception) -> None:
    log.warning(
        "saga.failed",
        kind=saga.kind,
        saga=str(saga.id),
        step=saga.step,
        problem=observability.name_of(error),
    )
    if saga.attempts + 1 < MAX_ATTEMPTS:
        await saga_rows.wait_again(tx, saga)
        pause = FIRST_PAUSE * 4**saga.attempts
        await tx.schedule(TIMER, str(saga.id), tx.clock.now() + pause)
        return
    await saga_rows.move(
        tx,
        saga,
        state="stuck",
        attempts=MAX_ATTEMPTS,
        problem=f"{saga.problem}; undoing {saga.step}: {observability.problem_of(error)}",
    )


__all__ = [
    "Saga",
    "SagaDefinition",
    "Sagas",
    "Step",
    "advance",
    "find",
    "list_stuck",
    "refuse",
    "resume",
    "start",
]
