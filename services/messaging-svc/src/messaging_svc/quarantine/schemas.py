"""What the API shows of held sending."""

from datetime import datetime

from pydantic import Field

from kantis_kit.web.schemas import In, Out


class WaitingOut(Out):
    """How many messages have no end yet, by state."""

    planned: int
    claimed: int
    handed_over: int
    in_doubt: int


class SendingOut(Out):
    """Whether mails go out, and what waits."""

    held: bool
    reason: str = Field(description="Why sending was held the last time it was; empty when never")
    since: datetime | None
    waiting: WaitingOut


class ReleaseIn(In):
    """Why a person lets sending go on."""

    reason: str = Field(min_length=3, max_length=500)
