"""What the API takes and shows of competitions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kantis_kit.web.schemas import In, Instant, Out

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CompetitionIn(In):
    """A new competition. `beacon_source` names a public number that nobody can know before the end."""

    name: Text
    prizes: int = Field(ge=1, le=1_000)
    closes_at: Instant
    is_for_members: bool = True
    beacon_source: str = Field(default="", max_length=200)


class CompetitionOut(Out):
    """A competition, with the promise that its draw is held against."""

    id: UUID
    name: str
    prizes: int
    is_for_members: bool
    beacon_source: str
    commitment: str
    closes_at: datetime
    made_at: datetime
    drawn_at: datetime | None


class EntryIn(In):
    """Who enters."""

    person_id: UUID


class TicketOut(Out):
    """The ticket, to be kept: after the draw it stands in the list."""

    ticket: str
    competition_id: UUID
    entered_at: datetime


class DrawIn(In):
    """The public number that was promised, where one was."""

    beacon: str = Field(default="", max_length=200)


class WinnerOut(Out):
    """A winner, for those who hand over the prizes; a person who was forgotten since is not named."""

    rank: int
    ticket: str
    person_id: UUID | None


class ProofOut(Out):
    """All that somebody needs to draw once more; it names nobody."""

    commitment: str
    seed: str
    beacon_source: str
    beacon: str
    list_digest: str
    tickets: list[str]
    winners: list[str]
    how: str
