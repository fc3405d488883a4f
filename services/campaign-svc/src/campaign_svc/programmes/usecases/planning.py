"""Programmes are made, published, paused and closed. What is published never changes: people are in it."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from campaign_svc.actions.usecases import check_action
from campaign_svc.programmes.checker import Finding, check
from campaign_svc.programmes.errors import (
    GraphRefused,
    NothingToPublish,
    NotLive,
    NotPaused,
    ProgrammeUnknown,
)
from campaign_svc.programmes.model import Programme, ProgrammeVersion
from campaign_svc.programmes.schemas.api import ProgrammeIn, ProgrammeState
from campaign_svc.programmes.schemas.graph import (
    DateTrigger,
    Do,
    EventTrigger,
    FormTrigger,
    Graph,
    ManualTrigger,
    OrderTrigger,
    SegmentTrigger,
    Speaking,
)
from campaign_svc.programmes.usecases.asking import ask_register, require_kept
from campaign_svc.programmes.usecases.dates import begin_dates
from campaign_svc.programmes.usecases.holding import release_paused
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def make_programme(tx: Tx, body: ProgrammeIn) -> Programme:
    """Make a programme with a first draft.

    Raises:
        GraphRefused: it could not run.
    """
    _require_good(body.graph)
    now = tx.clock.now()
    programme = Programme(
        id=new_id(),
        name=body.name,
        state=ProgrammeState.DRAFT.value,
        draft_version=1,
        created_by=tx.actor,
        created_at=now,
        changed_at=now,
    )
    tx.add(programme)
    # The version refers to the programme, and the models say nothing of the order.
    await tx.flush()
    tx.add(_version(programme.id, 1, body.graph))
    await ask_register(tx, body.graph)
    tx.audit("programme.make", str(programme.id))
    return programme


async def lock_programme(tx: Tx, programme_id: UUID) -> Programme:
    """Return a programme, locked until the commit. Raises `ProgrammeUnknown`."""
    found: Programme | None = await tx.scalar(
        select(Programme).where(col(Programme.id) == programme_id).with_for_update()
    )
    if found is None:
        raise ProgrammeUnknown(f"There is no programme {programme_id}")
    return found


async def change_programme(tx: Tx, programme: Programme, body: ProgrammeIn) -> Programme:
    """Replace the draft of a locked programme, or begin a new one; who is in the live version notices nothing.

    Raises:
        GraphRefused: it could not run.
    """
    _require_good(body.graph)
    await ask_register(tx, body.graph)
    if programme.draft_version is None:
        programme.draft_version = (programme.live_version or 0) + 1
        tx.add(_version(programme.id, programme.draft_version, body.graph))
    else:
        new = _version(programme.id, programme.draft_version, body.graph)
        await tx.execute(
            update(ProgrammeVersion)
            .where(
                col(ProgrammeVersion.programme_id) == programme.id,
                col(ProgrammeVersion.version) == programme.draft_version,
            )
            .values(
                graph=new.graph, trigger_on=new.trigger_on, trigger_name=new.trigger_name
            )
        )  # fmt: skip
    programme.name = body.name
    _touch(tx, programme)
    return programme


async def publish(tx: Tx, programme: Programme) -> Programme:
    """Make the draft of a locked programme live: new runs begin in it, those in flight keep their version.

    Raises:
        NothingToPublish: there is no draft.
        ConditionRefused: the register does not understand a condition of a branch.
        ConditionsNotKept: it has not told everybody of whom they are true.
        ActionNotAvailable: the programme or the series of coupons that a step names is not there.
        TemplateSells: a step needs no permission by its class, and its template is written to sell.
    """
    if programme.draft_version is None:
        raise NothingToPublish(
            f"Version {programme.live_version} is live and has no draft; change the programme first"
        )
    version = await tx.get(ProgrammeVersion, (programme.id, programme.draft_version))
    if version is None:
        raise NothingToPublish("The draft is gone; change the programme first")
    graph = Graph.model_validate(version.graph)
    await require_kept(tx, graph)
    for step in graph.steps.values():
        if isinstance(step, Do):
            await check_action(tx, step.action)
        elif isinstance(step, Speaking):
            await check_action(tx, step.say)
    version.published_at, version.published_by = tx.clock.now(), tx.actor
    programme.live_version, programme.draft_version = programme.draft_version, None
    if programme.state != ProgrammeState.PAUSED:
        programme.state = ProgrammeState.LIVE.value
    _touch(tx, programme)
    tx.audit("programme.publish", str(programme.id), version=programme.live_version)
    # What begins runs reads the versions by statements of its own.
    await tx.flush()
    await begin_dates(tx, programme.id)
    return programme


async def pause(tx: Tx, programme: Programme) -> Programme:
    """Let everybody in a locked programme wait where they are. Raises `NotLive`."""
    if programme.state == ProgrammeState.DRAFT:
        raise NotLive("A draft has nobody in it; publish it first")
    programme.state = ProgrammeState.PAUSED.value
    _touch(tx, programme)
    tx.audit("programme.pause", str(programme.id))
    return programme


async def resume(tx: Tx, programme: Programme) -> Programme:
    """Let a locked programme go on, with everybody who waits for it. Raises `NotPaused`."""
    if programme.state != ProgrammeState.PAUSED:
        raise NotPaused(f"The programme is {programme.state}")
    programme.state = ProgrammeState.LIVE.value
    _touch(tx, programme)
    tx.audit("programme.resume", str(programme.id))
    await tx.flush()
    await release_paused(tx, programme.id)
    return programme


async def close(tx: Tx, programme: Programme) -> Programme:
    """Let nobody begin in a locked programme any more; who is in it goes on. Raises `NotLive`."""
    if programme.state != ProgrammeState.LIVE:
        raise NotLive(f"The programme is {programme.state}; only a live one is closed")
    programme.state = ProgrammeState.CLOSED.value
    _touch(tx, programme)
    tx.audit("programme.close", str(programme.id))
    return programme


def _touch(tx: Tx, programme: Programme) -> None:
    programme.version += 1
    programme.changed_at = tx.clock.now()


def _version(programme_id: UUID, version: int, graph: Graph) -> ProgrammeVersion:
    on, name = _trigger_of(graph)
    written: dict[str, Any] = graph.model_dump(mode="json", exclude_none=True)
    return ProgrammeVersion(
        programme_id=programme_id,
        version=version,
        graph=written,
        trigger_on=on,
        trigger_name=name,
    )


def _trigger_of(graph: Graph) -> tuple[str, str]:
    match graph.trigger:
        case SegmentTrigger(segment_id=segment_id):
            return "segment", str(segment_id)
        case FormTrigger(form_key=form_key):
            return "form", form_key
        case OrderTrigger(when=when):
            return "order", when
        case DateTrigger(date=name):
            return "date", name
        case EventTrigger(event=name):
            return "event", name
        case ManualTrigger():
            return "hand", ""


def _require_good(graph: Graph) -> None:
    findings = check(graph)
    if findings:
        raise GraphRefused(
            "; ".join(f"{one.field}: {one.message}" for one in findings[:5]),
            errors=[_problem(one) for one in findings],
        )


def _problem(one: Finding) -> dict[str, str]:
    return {"in": "body", "field": f"graph.{one.field}", "code": one.code, "message": one.message}
