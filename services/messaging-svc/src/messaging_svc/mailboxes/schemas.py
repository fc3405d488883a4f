"""What the API shows of mailboxes."""

from datetime import datetime

from kantis_kit.web.schemas import Out


class MailboxOut(Out):
    """A mailbox, as it was when it was looked into last; without a problem it is empty of news."""

    mailbox: str
    looked_at: datetime
    problem: str
    away_since: datetime | None
    taken: int
