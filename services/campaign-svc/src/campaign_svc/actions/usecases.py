"""Do something about people, once each: write, call, task, tag, or what another slice does."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import DateTime, Integer, Text, Uuid, cast, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from campaign_svc.actions import events
from campaign_svc.actions.doing import Doers
from campaign_svc.actions.errors import (
    ActionNotAvailable,
    StepUnknown,
    TaskDone,
    TemplateSells,
)
from campaign_svc.actions.model import Asker, Job, Step, Target
from campaign_svc.actions.schemas import (
    ACTION,
    NOTICES,
    Action,
    AskerKind,
    CallListAction,
    MessageAction,
    StepState,
    TagAction,
    TaskAction,
    WebhookAction,
)
from campaign_svc.aliases import person_alias
from campaign_svc.templates.queries import selling_among
from kantis_contracts.messaging import Settled, SettledState
from kantis_kit.db.aliases import placed
from kantis_kit.db.sets import column_set, one_of
from kantis_kit.tx import ReadTx, Tx

ANOTHER_CHANNEL = frozenset({
    "no_address", "sells_in_notice", "address_undeliverable", "address_suppressed", "suppressed_channel", "withdrawn", "no_permission",
    "permission_pending", "permission_withdrawn", "channel_not_available", "no_common_hours", "template_unknown",
    "cannot_be_written", "refused", "gave_up", "no_contact_in_any_role", "not_reached", "wrong_number", "gone",
})  # fmt: skip
"""Rules of the gate that speak of a channel and not of the person: the next one may be tried."""

_AS_JSON = frozenset({"action", "missed"})
_MOMENT = DateTime(timezone=True)
_SHARED: Mapping[str, TypeEngine[Any]] = {
    "asker_id": Uuid(), "asker_version": Integer(), "at": _MOMENT, "due_at": _MOMENT, "settled_at": _MOMENT,
}  # fmt: skip
"""Columns that all steps of a job share and that are no text."""


async def check_action(tx: ReadTx, action: Action) -> None:
    """Refuse what nothing here can do, before anything rests on it.

    Raises:
        ActionNotAvailable: the programme or the series of coupons that it names is not there.
        TemplateSells: it needs no permission by its class, and its template is written to sell.
    """
    if isinstance(action, MessageAction | CallListAction):
        await _refuse_selling(tx, action)
    doer = tx.use(Doers).by_kind.get(action.kind)
    if doer is not None and not await doer.is_there(tx, action):
        raise ActionNotAvailable(f"action: the {action.kind} that it names is not there, or closed")


async def _refuse_selling(tx: ReadTx, action: MessageAction | CallListAction) -> None:
    """Refuse what is known by now; the gate, which holds the templates, looks again at each message."""
    if action.message_class not in NOTICES:
        return
    named = {way.template_id for way in events.ways_of(action)}
    selling = await selling_among(tx, named)
    if selling:
        told = ", ".join(
            f"{one.name} (version {one.number}, {one.message_class})" for one in selling
        )
        raise TemplateSells(
            f"template_id: {told} is written to sell, and a {action.message_class.value} message may not. Save a version"
            f" of it with message_class {action.message_class.value}: its words are checked for that",
            templates=[str(one.template_id) for one in selling],
        )


async def act(tx: Tx, asker: Asker, action: Action, targets: Sequence[Target]) -> list[UUID]:
    """Do it to these people; return the ids of the steps that are new. What was done before is not done again."""
    return await act_all(tx, [Job(asker, action, targets)])


async def act_all(tx: Tx, jobs: Sequence[Job]) -> list[UUID]:
    """Do what several askers want, together; return the ids of the steps that are new."""
    jobs = [job for job in jobs if job.targets]
    new = await _write(tx, jobs)
    for job in jobs:
        mine = [one for one in job.targets if one.step_id in new]
        if mine:
            await _do(tx, job.asker, job.action, mine)
    return sorted(new)


async def _do(tx: Tx, asker: Asker, action: Action, targets: Sequence[Target]) -> None:
    if isinstance(action, MessageAction | CallListAction):
        way = events.ways_of(action)[0]
        tx.stage(events.steps_requested(asker, action, way, targets, at=tx.clock.now()))
    elif isinstance(action, TagAction):
        tx.stage(events.listings_requested(asker, action, targets))
    elif not isinstance(action, TaskAction):
        await tx.use(Doers).by_kind[action.kind].do(tx, asker, action, targets)


async def _write(tx: Tx, jobs: Sequence[Job]) -> set[UUID]:
    """Write the rows that are not there; return their ids. People stand where their merges have put them."""
    if not jobs:
        return set()
    now = tx.clock.now()
    rows = sorted(
        ((one, _begins(job.asker, job.action, now)) for job in jobs for one in job.targets),
        key=lambda row: row[0].step_id,
    )
    same = list(rows[0][1])
    columns: dict[str, tuple[Any, list[Any]]] = {
        "id": (Uuid(), [one.step_id for one, _ in rows]),
        "person_id": (Uuid(), [one.person_id for one, _ in rows]),
        "because": (Text(), [_json(list(one.because)) for one, _ in rows]),
        "facts": (Text(), [_json(dict(one.facts)) for one, _ in rows]),
        **{
            name: (_SHARED.get(name, Text()), [values[name] for _, values in rows]) for name in same
        },
    }
    new = column_set("new", columns)
    stood = placed(person_alias, new)
    result = await tx.scalars(
        insert(Step)
        .from_select(
            ["id", "because", "facts", "person_id", "merged_id", *same],
            select(
                new.c.id,
                cast(new.c.because, JSONB),
                cast(new.c.facts, JSONB),
                stood.stands,
                stood.came,
                *(cast(new.c[name], JSONB) if name in _AS_JSON else new.c[name] for name in same),
            ).select_from(stood.source),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(col(Step.id))
    )
    return set(result)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _begins(asker: Asker, action: Action, now: datetime) -> dict[str, Any]:
    """Return the columns that all these steps share."""
    values: dict[str, Any] = {
        "asker_kind": asker.kind.value,
        "asker_id": asker.id,
        "asker_name": asker.name,
        "asker_version": asker.version,
        "step": asker.step,
        "kind": action.kind,
        "action": _json(action.model_dump(mode="json")),
        "channel": "",
        "missed": "{}",
        "state": StepState.DONE.value,
        "reason": "",
        "at": now,
        "due_at": None,
        "settled_at": now,
        "settled_by": "",
    }
    if isinstance(action, MessageAction | CallListAction):
        values["channel"] = events.ways_of(action)[0].channel.value
        values |= {"state": StepState.REQUESTED.value, "settled_at": None}
    elif isinstance(action, TaskAction):
        due = now + timedelta(hours=action.due_hours) if action.due_hours else None
        values |= {"state": StepState.OPEN.value, "due_at": due, "settled_at": None}
    elif isinstance(action, WebhookAction):
        values |= {"state": StepState.REQUESTED.value, "settled_at": None}
    return values


async def settle_steps(tx: Tx, items: Sequence[Settled]) -> None:
    """Keep what became of messages; where a channel cannot or may not reach the person, try the next one.

    What is in doubt is not said again in another channel: it may have been read.
    """
    ends = {item.step_id: item for item in items if item.step_id is not None}
    if not ends:
        return
    rows = await tx.scalars(
        select(Step)
        .where(col(Step.id) == one_of(sorted(ends), Uuid()))
        .order_by(col(Step.id))
        .with_for_update()
    )
    again: defaultdict[tuple[UUID, int, str, str], list[Step]] = defaultdict(list)
    for row in rows:
        end = ends[row.id]
        if end.channel != row.channel:
            continue  # of a channel that was tried before
        if _next_way(row, end) is not None:
            row.missed = {**row.missed, row.channel: end.reason}
            row.channel = _next_way(row, end) or ""
            again[row.asker_id, row.asker_version, row.step, row.channel].append(row)
        else:
            row.state, row.reason = end.state.value, end.reason[:500]
            row.settled_at = end.settled_at
    for steps in again.values():
        _try_again(tx, steps)


def _next_way(row: Step, end: Settled) -> str | None:
    if end.state not in (SettledState.SUPPRESSED, SettledState.FAILED):
        return None
    if end.reason not in ANOTHER_CHANNEL and end.state is SettledState.SUPPRESSED:
        return None
    channels = [way.channel.value for way in events.ways_of(_message(row))]
    place = channels.index(row.channel) + 1
    return channels[place] if place < len(channels) else None


def _try_again(tx: Tx, steps: Sequence[Step]) -> None:
    first = steps[0]
    action = _message(first)
    way = next(one for one in events.ways_of(action) if one.channel == first.channel)
    asker = Asker(
        AskerKind(first.asker_kind),
        first.asker_id,
        first.asker_name,
        first.asker_version,
        first.step,
    )
    targets = [
        Target(one.merged_id or one.person_id, one.id, one.because, one.facts) for one in steps
    ]
    tx.stage(events.steps_requested(asker, action, way, targets, at=first.at))


def _message(row: Step) -> MessageAction | CallListAction:
    action = ACTION.validate_python(row.action)
    assert isinstance(action, MessageAction | CallListAction)  # noqa: S101 - only messages have an end of their own
    return action


async def finish_task(tx: Tx, task_id: UUID, note: str) -> Step:
    """Keep that somebody has done a task.

    Raises:
        StepUnknown: there is no such task.
        TaskDone: somebody has done it.
    """
    rows = await tx.scalars(
        select(Step).where(col(Step.id) == task_id, col(Step.kind) == "task").with_for_update()
    )
    task: Step | None = rows.first()
    if task is None:
        raise StepUnknown(f"There is no task {task_id}")
    if task.state != StepState.OPEN:
        raise TaskDone(f"{task.settled_by} has done it at {task.settled_at:%Y-%m-%d %H:%M} UTC")
    task.state, task.reason = StepState.DONE.value, note
    task.settled_at, task.settled_by = tx.clock.now(), tx.actor
    tx.audit("task.done", str(task_id))
    return task
