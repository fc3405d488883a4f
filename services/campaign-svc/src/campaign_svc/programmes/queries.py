"""Reads of programmes."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.base import Base
from campaign_svc.programmes.errors import (
    ProgrammeUnknown,
    RunUnknown,
    StepUnknown,
    VersionUnknown,
)
from campaign_svc.programmes.model import Programme, ProgrammeVersion, Run, Visit
from campaign_svc.programmes.schemas.api import (
    ProgrammeOut,
    RunHistoryOut,
    RunOut,
    RunState,
    VersionOut,
    VisitOut,
)
from campaign_svc.programmes.schemas.graph import AnyStep, Graph
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx

_run = Base.metadata.tables[str(Run.__tablename__)]


async def get_programme(tx: ReadTx, programme_id: UUID) -> Programme:
    """Return a programme. Raises `ProgrammeUnknown`."""
    found = await tx.get(Programme, programme_id)
    if found is None:
        raise ProgrammeUnknown(f"There is no programme {programme_id}")
    return found


async def list_programmes(tx: ReadTx, after: UUID | None, limit: int) -> list[ProgrammeOut]:
    """Return a page of programmes, the newest first."""
    statement = select(Programme).order_by(col(Programme.id).desc()).limit(limit)
    if after is not None:
        statement = statement.where(col(Programme.id) < after)
    return [ProgrammeOut.model_validate(row) for row in await tx.scalars(statement)]


async def get_version(tx: ReadTx, programme_id: UUID, version: int | None) -> VersionOut:
    """Return a version with who is in it now: the live one where none is named, of a draft that.

    Raises:
        ProgrammeUnknown: there is no such programme.
        VersionUnknown: it has no such version.
    """
    programme = await get_programme(tx, programme_id)
    wanted = version or programme.live_version or programme.draft_version
    found = await tx.get(ProgrammeVersion, (programme_id, wanted))
    if found is None:
        raise VersionUnknown(f"The programme has no version {wanted}")
    shown = VersionOut.model_validate(found)
    mine = (_run.c.programme_id == programme_id) & (_run.c.version == wanted)
    shown.here = await _counted(tx, _run.c.step, mine & _run.c.ended_at.is_(None))
    shown.ended = await _counted(tx, _run.c.outcome, mine & _run.c.ended_at.is_not(None))
    return shown


async def _counted(
    tx: ReadTx, what: ColumnElement[str], where: ColumnElement[bool]
) -> dict[str, int]:
    counted = select(what.label("name"), func.count().label("runs")).where(where)
    rows = await tx.execute(counted.group_by(what).order_by(what))
    return {row.name: row.runs for row in rows}


async def list_versions(tx: ReadTx, programme_id: UUID) -> list[VersionOut]:
    """Return the versions, the newest first, without who is in them. Raises `ProgrammeUnknown`."""
    await get_programme(tx, programme_id)
    rows = await tx.scalars(
        select(ProgrammeVersion)
        .where(col(ProgrammeVersion.programme_id) == programme_id)
        .order_by(col(ProgrammeVersion.version).desc())
    )
    return [VersionOut.model_validate(row) for row in rows]


async def list_runs(
    tx: ReadTx,
    programme_id: UUID,
    *,
    person_id: UUID | None,
    state: RunState | None,
    after: UUID | None,
    limit: int,
) -> list[RunOut]:
    """Return a page of runs in the order of their beginning. Raises `ProgrammeUnknown`."""
    await get_programme(tx, programme_id)
    statement = (
        select(Run).where(col(Run.programme_id) == programme_id).order_by(col(Run.id)).limit(limit)
    )
    if person_id is not None:
        stands: Mapping[UUID, UUID] = await resolve(tx, person_alias, [person_id])
        statement = statement.where(col(Run.person_id) == stands.get(person_id, person_id))
    if state is not None:
        statement = statement.where(col(Run.state) == state.value)
    if after is not None:
        statement = statement.where(col(Run.id) > after)
    return [RunOut.model_validate(row) for row in await tx.scalars(statement)]


async def get_run(tx: ReadTx, programme_id: UUID, run_id: UUID) -> RunHistoryOut:
    """Return a run with every step that it has gone through. Raises `RunUnknown`."""
    found = await tx.get(Run, run_id)
    if found is None or found.programme_id != programme_id:
        raise RunUnknown(f"The programme has no run {run_id}")
    rows = await tx.scalars(
        select(Visit).where(col(Visit.run_id) == run_id).order_by(col(Visit.number))
    )
    shown = RunOut.model_validate(found).model_dump()
    return RunHistoryOut(**shown, visits=[one for row in rows for one in _visits(row)])


def _visits(row: Visit) -> Iterator[VisitOut]:
    first = row.number - len(row.steps) + 1
    for number, step in enumerate(row.steps, first):
        name, kind, way = step.split(" ")
        yield VisitOut(number=number, step=name, kind=kind, way=way, at=row.at)


async def get_step(tx: ReadTx, programme_id: UUID, name: str) -> AnyStep:
    """Return a step of the live version, else of the draft. Raises `ProgrammeUnknown`, `StepUnknown`."""
    programme = await get_programme(tx, programme_id)
    version = await tx.get(
        ProgrammeVersion, (programme_id, programme.live_version or programme.draft_version)
    )
    steps = Graph.model_validate(version.graph).steps if version else {}
    if name not in steps:
        raise StepUnknown(f"The programme has no step {name}")
    return steps[name]
