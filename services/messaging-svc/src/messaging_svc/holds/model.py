"""Launches that must not go on, and the figures by which a spike is seen."""

from sqlalchemy import BigInteger, Column, Integer, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, Uid, metadata

launch_hold = Table(
    "launch_hold",
    metadata,
    Column("launch_id", Uid, primary_key=True),
    Column("campaign_id", Uid, nullable=False),
    # Of the last word of campaign-svc that was taken; 0 while it has said nothing.
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    # Since when a spike holds it, and which; both empty again once a person has resumed it.
    Column("spiked_at", Moment),
    Column("spike", JSONB),
    # What came before a person's resuming is not counted against the launch again.
    Column("counts_from", Moment),
)

launch_tally = Table(
    "launch_tally",
    metadata,
    Column("launch_id", Uid, primary_key=True),
    Column("minute", Moment, primary_key=True),
    Column("sent", Integer, nullable=False),
    Column("bounced", Integer, nullable=False),
    Column("complained", Integer, nullable=False),
)

launch_signal = Table(
    "launch_signal",
    metadata,
    Column("message_id", Uid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)

spike_limit = Table(
    "spike_limit",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("rate_pct", Numeric(6, 3), nullable=False),
    Column("min_messages", Integer, nullable=False),
    Column("window_minutes", Integer, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
