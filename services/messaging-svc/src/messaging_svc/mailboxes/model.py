"""Which mails of a mailbox were taken, and how it was when somebody looked last."""

from sqlalchemy import BigInteger, Column, Table, Text

from messaging_svc.base import Moment, metadata

mailbox_mail = Table(
    "mailbox_mail",
    metadata,
    Column("mailbox", Text, primary_key=True),
    # The server's promise that a number means the same mail for as long as this one stays. Source: RFC 3501 (2.3.1.1).
    Column("uid_validity", BigInteger, primary_key=True),
    Column("uid", BigInteger, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("taken_at", Moment, nullable=False),
)

mailbox_state = Table(
    "mailbox_state",
    metadata,
    Column("mailbox", Text, primary_key=True),
    Column("looked_at", Moment, nullable=False),
    Column("problem", Text, nullable=False),
    Column("away_since", Moment),
)
