"""Shapes of the spool's operator pages."""

from datetime import datetime
from uuid import UUID

from kantis_kit.web.schemas import Out


class SpooledOut(Out):
    """A lead that waits; what it says is not shown."""

    id: UUID
    path: str
    received_at: datetime
    state: str
    attempts: int
    next_at: datetime
    last_status: int | None
    problem: str


class Retried(Out):
    """How many leads will be tried again at once."""

    retried: int
