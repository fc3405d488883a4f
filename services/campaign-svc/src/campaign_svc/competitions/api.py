"""Competitions with winners that anybody can draw once more."""

from uuid import UUID

from campaign_svc.competitions import usecases
from campaign_svc.competitions.schemas import (
    CompetitionIn,
    CompetitionOut,
    DrawIn,
    EntryIn,
    ProofOut,
    TicketOut,
    WinnerOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/competitions", tags=["club"])
READ, WRITE, TILL = needs("campaign:read"), needs("campaign:write"), needs("campaign:redeem")


@router.post("", policy=WRITE, status_code=201)
async def open_competition(body: CompetitionIn, tx: Write) -> CompetitionOut:
    """Begin a competition. Publish its commitment before the first entry: it binds the draw."""
    return CompetitionOut.model_validate(await usecases.open_competition(tx, body))


@router.get("/{competition_id}", policy=READ)
async def get_competition(competition_id: UUID, tx: Read) -> CompetitionOut:
    """Return a competition."""
    return CompetitionOut.model_validate(await usecases.get_competition(tx, competition_id))


@router.post("/{competition_id}/entries", policy=TILL, status_code=201)
async def enter(competition_id: UUID, body: EntryIn, tx: Write) -> TicketOut:
    """Enter somebody, once; the ticket says nothing about whose it is."""
    return TicketOut.model_validate(await usecases.enter(tx, competition_id, body.person_id))


@router.post("/{competition_id}/draw", policy=WRITE)
async def draw(competition_id: UUID, body: DrawIn, tx: Write) -> list[WinnerOut]:
    """Draw the winners, once, after the end."""
    await usecases.draw(tx, competition_id, body.beacon)
    return await usecases.list_winners(tx, competition_id)


@router.get("/{competition_id}/winners", policy=READ)
async def list_winners(competition_id: UUID, tx: Read) -> list[WinnerOut]:
    """List the winners, for those who hand over the prizes."""
    return await usecases.list_winners(tx, competition_id)


@router.get("/{competition_id}/proof", policy=READ)
async def prove(competition_id: UUID, tx: Read) -> ProofOut:
    """Return what somebody needs to draw once more: publish it as it is, it names nobody."""
    return await usecases.prove(tx, competition_id)
