"""People begin by hand, or because a rule or another programme says so."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.actions.model import Asker, Target
from campaign_svc.actions.schemas import Action, ProgrammeAction
from campaign_svc.programmes.errors import KeyMissing, NotLive
from campaign_svc.programmes.model import Programme
from campaign_svc.programmes.occurrences import Occurrence
from campaign_svc.programmes.plans import plans_of
from campaign_svc.programmes.queries import get_programme
from campaign_svc.programmes.schemas.api import (
    OccurrenceIn,
    ProgrammeState,
    RunIn,
    StartedOut,
)
from campaign_svc.programmes.usecases.hearing import tell
from campaign_svc.programmes.usecases.starting import Start, start_runs
from kantis_kit.tx import ReadTx, Tx


async def begin_by_hand(tx: Tx, programme_id: UUID, items: Sequence[RunIn]) -> StartedOut:
    """Begin runs for people.

    Raises:
        ProgrammeUnknown: there is no such programme.
        NotLive: nobody begins in it.
        KeyMissing: it has a run per order or contract, and one has no key.
    """
    programme = await get_programme(tx, programme_id)
    if programme.state != ProgrammeState.LIVE or programme.live_version is None:
        raise NotLive(f"The programme is {programme.state}; publish or resume it first")
    version = (programme_id, programme.live_version)
    per = (await plans_of(tx, [version]))[version].graph.key
    if per != "person" and (bare := [at for at, one in enumerate(items) if not one.key]):
        raise KeyMissing(
            f"items.{bare[0]}.key: the programme has a run per {per}; say which {per} it is"
        )
    starts = [Start(one.person_id, "" if per == "person" else one.key, one.facts) for one in items]
    return StartedOut(started=await start_runs(tx, version, starts), asked=len(items))


async def is_programme(tx: ReadTx, action: Action) -> bool:
    """Say whether the programme of an action is there; it may be published later than what begins it."""
    assert isinstance(action, ProgrammeAction)  # noqa: S101 - what it was registered for
    return await tx.get(Programme, action.programme_id) is not None


async def begin_for_others(tx: Tx, asker: Asker, action: Action, targets: Sequence[Target]) -> None:
    """Begin a programme for whom a rule or another programme names; in one that is not live nobody begins."""
    assert isinstance(action, ProgrammeAction)  # noqa: S101 - what it was registered for
    programme = await tx.get(Programme, action.programme_id)
    if programme is None or programme.state != ProgrammeState.LIVE or not programme.live_version:
        return
    version = (programme.id, programme.live_version)
    is_keyed = (await plans_of(tx, [version]))[version].graph.key != "person"
    # A programme that has a run per order or contract has one per step that asks for it.
    starts = [
        Start(one.person_id, str(one.step_id) if is_keyed else "", {**one.facts, "begun_by": asker.name})
        for one in targets
    ]  # fmt: skip
    await start_runs(tx, version, starts)


async def tell_events(tx: Tx, items: Sequence[OccurrenceIn]) -> int:
    """Take things that happened; return how many were new."""
    now = tx.clock.now()
    told = [
        (
            one.event_id,
            Occurrence(
                event=one.event,
                person_id=one.person_id,
                at=one.at or now,
                key=one.key,
                facts=one.facts,
                begins=(("event", one.event),),
            ),
        )
        for one in items
    ]
    return await tell(tx, told)
