"""Programmes at the API."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response

from campaign_svc.programmes import calendar_file, checker, drawing, queries
from campaign_svc.programmes.errors import StepUnknown
from campaign_svc.programmes.model import Programme
from campaign_svc.programmes.schemas.api import (
    CheckOut,
    CountOut,
    FindingOut,
    LateIn,
    MoveIn,
    MovePreviewOut,
    OccurrencesIn,
    PersonDatesIn,
    ProgrammeIn,
    ProgrammeOut,
    ReadyMadeIn,
    ReadyMadeOut,
    RunHistoryOut,
    RunOut,
    RunsIn,
    RunState,
    StartedOut,
    VersionOut,
)
from campaign_svc.programmes.schemas.graph import Content, Graph
from campaign_svc.programmes.usecases import dates, holding, moving, planning, ready, taking
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router

kit = Router(prefix="/v1/programmes", tags=["programmes"])
"""What comes before there is a programme: its paths are looked at first."""
router = Router(prefix="/v1/programmes", tags=["programmes"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")
Version = Annotated[int | None, Query(ge=1, le=1_000_000)]
StepPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_SVG = {200: {"content": {"image/svg+xml": {}}, "description": "The drawing"}}
_ICS = {200: {"content": {calendar_file.MEDIA_TYPE: {}}, "description": "The calendar file"}}


@kit.get("/schema", policy=READ)
async def get_schema() -> dict[str, Any]:
    """Return the JSON Schema of a programme's graph."""
    return Graph.model_json_schema()


@kit.post("/check", policy=READ)
async def check_graph(body: Graph) -> CheckOut:
    """Say what is wrong with a graph: dead ends, steps that nobody comes to, circles without a wait."""
    findings = [FindingOut.model_validate(one) for one in checker.check(body)]
    return CheckOut(is_good=not findings, findings=findings)


@kit.get("/ready-made", policy=READ)
async def list_ready_made() -> list[ReadyMadeOut]:
    """Return the programmes that are delivered with the product, and what each of them lacks."""
    return list(ready.ready_made().values())


@kit.post("/ready-made/{key}", policy=WRITE, status_code=201)
async def take_ready_made(
    key: Annotated[str, Path(max_length=100)], body: ReadyMadeIn, tx: Write, response: Response
) -> ProgrammeOut:
    """Make a draft of a ready-made programme."""
    return _made(await planning.make_programme(tx, ready.filled(key, body)), response)


@kit.post("/events", policy=WRITE)
async def tell_events(body: OccurrencesIn, tx: Write) -> CountOut:
    """Tell what happened to people: it begins programmes, and wakes runs that wait for it. Told twice, it counts once."""
    return CountOut(runs=await taking.tell_events(tx, body.items))


@kit.put("/dates", policy=WRITE, status_code=204)
async def set_dates(body: PersonDatesIn, tx: Write) -> None:
    """Keep dates of people, such as when a contract's binding expires."""
    await dates.set_dates(tx, body.items)


@router.post("", policy=WRITE, status_code=201)
async def make_programme(body: ProgrammeIn, tx: Write, response: Response) -> ProgrammeOut:
    """Make a programme; it is a draft until it is published."""
    return _made(await planning.make_programme(tx, body), response)


@router.get("", policy=READ)
async def list_programmes(
    tx: Read, cursor: str | None = None, limit: Limit = 50
) -> Page[ProgrammeOut]:
    """Return programmes, the newest first."""
    items = await queries.list_programmes(tx, id_after(cursor), limit)
    return page_by_id(items, limit)


@router.get("/{programme_id}", policy=READ)
async def get_programme(programme_id: UUID, tx: Read, response: Response) -> ProgrammeOut:
    """Return a programme."""
    return _shown(await queries.get_programme(tx, programme_id), response)


@router.put("/{programme_id}", policy=WRITE)
async def change_programme(
    programme_id: UUID, body: ProgrammeIn, request: Request, tx: Write, response: Response
) -> ProgrammeOut:
    """Replace the draft of a programme that has not changed since it was read (If-Match); who is in it notices nothing."""
    programme = await planning.lock_programme(tx, programme_id)
    require_match(request, programme.version)
    return _shown(await planning.change_programme(tx, programme, body), response)


@router.post("/{programme_id}/publish", policy=WRITE)
async def publish(programme_id: UUID, tx: Write) -> ProgrammeOut:
    """Let new runs begin in the draft from now on; those in flight keep their version."""
    programme = await planning.lock_programme(tx, programme_id)
    return ProgrammeOut.model_validate(await planning.publish(tx, programme))


@router.post("/{programme_id}/pause", policy=WRITE)
async def pause(programme_id: UUID, tx: Write) -> ProgrammeOut:
    """Let everybody wait where they are."""
    programme = await planning.lock_programme(tx, programme_id)
    return ProgrammeOut.model_validate(await planning.pause(tx, programme))


@router.post("/{programme_id}/resume", policy=WRITE)
async def resume(programme_id: UUID, tx: Write) -> ProgrammeOut:
    """Go on with everybody who waits for it."""
    programme = await planning.lock_programme(tx, programme_id)
    return ProgrammeOut.model_validate(await planning.resume(tx, programme))


@router.post("/{programme_id}/close", policy=WRITE)
async def close(programme_id: UUID, tx: Write) -> ProgrammeOut:
    """Let nobody begin any more; who is in it goes on."""
    programme = await planning.lock_programme(tx, programme_id)
    return ProgrammeOut.model_validate(await planning.close(tx, programme))


@router.get("/{programme_id}/versions", policy=READ)
async def list_versions(programme_id: UUID, tx: Read) -> list[VersionOut]:
    """Return the versions of a programme, the newest first."""
    return await queries.list_versions(tx, programme_id)


@router.get("/{programme_id}/versions/{version}", policy=READ)
async def get_version(
    programme_id: UUID, version: Annotated[int, Path(ge=1, le=1_000_000)], tx: Read
) -> VersionOut:
    """Return a version, with how many people are at each of its steps now, and how the others ended."""
    return await queries.get_version(tx, programme_id, version)


@router.get("/{programme_id}/drawing.svg", policy=READ, response_class=Response, responses={**_SVG})
async def draw(programme_id: UUID, tx: Read, version: Version = None) -> Response:
    """Return a drawing of a version with how many people are at each step now; of the live one, where none is named."""
    programme = await queries.get_programme(tx, programme_id)
    shown = await queries.get_version(tx, programme_id, version)
    svg = drawing.draw(programme.name, Graph.model_validate(shown.graph), shown.here)
    return Response(svg, media_type="image/svg+xml")


@router.post("/{programme_id}/runs", policy=WRITE)
async def begin_runs(programme_id: UUID, body: RunsIn, tx: Write) -> StartedOut:
    """Begin the programme for people; who is in it already is left out."""
    return await taking.begin_by_hand(tx, programme_id, body.items)


@router.get("/{programme_id}/runs", policy=READ)
async def list_runs(
    programme_id: UUID,
    tx: Read,
    *,
    person_id: UUID | None = None,
    state: RunState | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[RunOut]:
    """Return runs in the order of their beginning: of a person, or in a state."""
    items = await queries.list_runs(
        tx, programme_id, person_id=person_id, state=state, after=id_after(cursor), limit=limit
    )
    return page_by_id(items, limit)


@router.get("/{programme_id}/runs/{run_id}", policy=READ)
async def get_run(programme_id: UUID, run_id: UUID, tx: Read) -> RunHistoryOut:
    """Return a run with every step that it has gone through, and by which way."""
    return await queries.get_run(tx, programme_id, run_id)


@router.post("/{programme_id}/late-runs", policy=WRITE)
async def decide_late(programme_id: UUID, body: LateIn, tx: Write) -> CountOut:
    """Let runs go on that came too late to go on by themselves, or end them; 5,000 at a time."""
    await planning.lock_programme(tx, programme_id)
    return CountOut(runs=await holding.decide_late(tx, programme_id, body.decision))


@router.post("/{programme_id}/moves/preview", policy=WRITE)
async def preview_move(programme_id: UUID, body: MoveIn, tx: Write) -> MovePreviewOut:
    """Say what a move of the people in a version to the live one would do; nothing is changed."""
    return await moving.preview_move(tx, await planning.lock_programme(tx, programme_id), body)


@router.post("/{programme_id}/moves", policy=WRITE, status_code=202)
async def move_runs(programme_id: UUID, body: MoveIn, tx: Write) -> MovePreviewOut:
    """Move the people in a version to the live one."""
    return await moving.move_runs(tx, await planning.lock_programme(tx, programme_id), body)


@router.get(
    "/{programme_id}/steps/{step}/calendar.ics",
    policy=READ,
    response_class=Response,
    responses={**_ICS},
)
async def get_calendar_file(programme_id: UUID, step: StepPath, tx: Read) -> Response:
    """Return the calendar file of an event or a webinar."""
    found = await queries.get_step(tx, programme_id, step)
    if not isinstance(found, Content) or found.begins_at is None:
        raise StepUnknown(f"{step} is no event and no webinar")
    uid = f"{step}.{programme_id}@kantis"
    file = calendar_file.calendar_file(uid, found, stamped_at=tx.clock.now())
    return Response(file, media_type=calendar_file.MEDIA_TYPE)


def _made(programme: Programme, response: Response) -> ProgrammeOut:
    response.headers["Location"] = f"/v1/programmes/{programme.id}"
    return _shown(programme, response)


def _shown(programme: Programme, response: Response) -> ProgrammeOut:
    response.headers["ETag"] = etag(programme.version)
    return ProgrammeOut.model_validate(programme)
