"""How much one person gets, and how much is spent."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from messaging_svc.base import Moment, Uid, metadata

frequency_cap = Table(
    "frequency_cap",
    metadata,
    Column("id", Uid, primary_key=True),
    # Empty: messages of every channel together.
    Column("channel", Text, nullable=False),
    Column("max_messages", Integer, nullable=False),
    Column("window_seconds", BigInteger, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

spend_cap = Table(
    "spend_cap",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("period", Text, nullable=False),
    # Of one campaign, with the period `campaign`; without it that cap holds for each campaign by itself.
    Column("campaign_id", Uid),
    Column("currency", Text, nullable=False),
    Column("limit_minor", BigInteger, nullable=False),
    # When something first had to wait for it; empty again when a person has raised it.
    Column("reached_at", Moment),
    Column("changed_at", Moment, nullable=False),
)

spend_count = Table(
    "spend_count",
    metadata,
    Column("cap_id", Uid, ForeignKey("spend_cap.id", ondelete="CASCADE"), primary_key=True),
    # A day, a month, or a campaign's id.
    Column("scope", Text, primary_key=True),
    Column("spent_minor", BigInteger, nullable=False),
    Column("pieces", BigInteger, nullable=False),
)
