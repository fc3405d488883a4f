"""Promise, enter, draw."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select, update
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.codes import draw_code
from campaign_svc.club import points
from campaign_svc.club.queries import is_member
from campaign_svc.competitions.drawing import RECIPE, commitment, list_digest, ranked
from campaign_svc.competitions.errors import (
    BeaconMissing,
    CompetitionOver,
    CompetitionRuns,
    CompetitionUnknown,
    NotAMember,
)
from campaign_svc.competitions.model import Competition, CompetitionEntry
from campaign_svc.competitions.schemas import CompetitionIn, ProofOut, WinnerOut
from kantis_kit.db import aliases
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx


async def open_competition(tx: Tx, body: CompetitionIn) -> Competition:
    """Begin a competition: its seed is drawn and promised now, before anybody enters."""
    now = tx.clock.now()
    if body.closes_at <= now:
        raise Invalid("closes_at: lies in the past; nobody could enter")
    seed = secrets.token_hex(32)
    competition = Competition(
        id=new_id(),
        **body.model_dump(),
        seed=seed,
        commitment=commitment(seed),
        made_by=tx.actor,
        made_at=now,
    )
    tx.add(competition)
    return competition


async def get_competition(tx: ReadTx, competition_id: UUID) -> Competition:
    """Return a competition. Raises `CompetitionUnknown`."""
    found = await tx.get(Competition, competition_id)
    if found is None:
        raise CompetitionUnknown(f"There is no competition {competition_id}")
    return found


async def enter(tx: Tx, competition_id: UUID, person_id: UUID) -> CompetitionEntry:
    """Enter somebody; who has entered keeps the ticket.

    Raises:
        CompetitionUnknown: there is none.
        CompetitionOver: its end has come.
        NotAMember: it is for members, and this is none.
    """
    competition = await get_competition(tx, competition_id)
    known = await aliases.resolve(tx, person_alias, [person_id])
    person_id = known.get(person_id, person_id)
    await points.lock(tx, person_id)
    held: CompetitionEntry | None = await tx.scalar(
        select(CompetitionEntry)
        .where(
            col(CompetitionEntry.competition_id) == competition_id,
            col(CompetitionEntry.person_id) == person_id,
        )
        .limit(1)
    )
    if held is not None:
        return held
    now = tx.clock.now()
    _check_open(competition, now)
    if competition.is_for_members and not await is_member(tx, person_id):
        raise NotAMember("person_id: join the club first")
    entry = CompetitionEntry(
        ticket=draw_code(), competition_id=competition_id, person_id=person_id, entered_at=now
    )
    tx.add(entry)
    return entry


def _check_open(competition: Competition, now: datetime) -> None:
    if now >= competition.closes_at or competition.drawn_at is not None:
        raise CompetitionOver(f"It ended on {competition.closes_at:%Y-%m-%d %H:%M} UTC")


async def draw(tx: Tx, competition_id: UUID, beacon: str) -> Competition:
    """Draw the winners; drawing again, with any number, changes nothing.

    Raises:
        CompetitionUnknown: there is none.
        CompetitionRuns: entries still come.
        BeaconMissing: a public number was promised and is not given.
    """
    competition: Competition | None = await tx.scalar(
        select(Competition).where(col(Competition.id) == competition_id).with_for_update()
    )
    if competition is None:
        raise CompetitionUnknown(f"There is no competition {competition_id}")
    if competition.drawn_at is not None:
        return competition
    if tx.clock.now() < competition.closes_at:
        raise CompetitionRuns(f"It ends on {competition.closes_at:%Y-%m-%d %H:%M} UTC")
    if competition.beacon_source and not beacon:
        raise BeaconMissing(f"beacon: give {competition.beacon_source}, as it was promised")
    competition.beacon = beacon if competition.beacon_source else ""
    competition.drawn_by, competition.drawn_at = tx.actor, tx.clock.now()
    order = ranked(competition.seed, competition.beacon, await _tickets(tx, competition_id))
    won = {ticket: place for place, ticket in enumerate(order[: competition.prizes], start=1)}
    if won:
        await tx.execute(
            update(CompetitionEntry)
            .where(col(CompetitionEntry.ticket).in_(won))
            .values(rank=case(won, value=col(CompetitionEntry.ticket)))
        )
    tx.audit("competition.draw", str(competition_id), entries=len(order), beacon=competition.beacon)
    return competition


async def _tickets(tx: ReadTx, competition_id: UUID) -> Sequence[str]:
    of_it = col(CompetitionEntry.competition_id) == competition_id
    rows = await tx.scalars(
        select(col(CompetitionEntry.ticket)).where(of_it).order_by(col(CompetitionEntry.ticket))
    )
    return rows.all()


async def list_winners(tx: ReadTx, competition_id: UUID) -> list[WinnerOut]:
    """Return the winners in the order of their prizes; nobody before the draw."""
    await get_competition(tx, competition_id)
    rows = await tx.scalars(
        select(CompetitionEntry)
        .where(
            col(CompetitionEntry.competition_id) == competition_id,
            col(CompetitionEntry.rank).is_not(None),
        )
        .order_by(col(CompetitionEntry.rank))
    )
    return [WinnerOut.model_validate(row) for row in rows]


async def prove(tx: ReadTx, competition_id: UUID) -> ProofOut:
    """Return what everybody needs to draw once more.

    Raises:
        CompetitionUnknown: there is none.
        CompetitionRuns: it is not drawn yet, so the seed stays a secret.
    """
    competition = await get_competition(tx, competition_id)
    if competition.drawn_at is None:
        raise CompetitionRuns("The seed is shown once the winners are drawn")
    tickets = await _tickets(tx, competition_id)
    return ProofOut(
        commitment=competition.commitment,
        seed=competition.seed,
        beacon_source=competition.beacon_source,
        beacon=competition.beacon,
        list_digest=list_digest(tickets),
        tickets=list(tickets),
        winners=[one.ticket for one in await list_winners(tx, competition_id)],
        how=RECIPE,
    )
