"""Messages that came in, keywords, and votes."""

from sqlalchemy import Boolean, Column, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, Uid, metadata

SOURCE = "sms"
"""Names, with its id, a message that came in within its conversation."""

inbound_message = Table(
    "inbound_message",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("from_phone", Text, nullable=False),
    Column("from_hash", LargeBinary, nullable=False),
    Column("to_number", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("person_id", Uid),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("keyword", Text, nullable=False),
    Column("option", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    # Conversations hold these now; a later release drops them.
    Column("closed_by", Text, nullable=False),
    Column("closed_at", Moment),
    Column("received_at", Moment, nullable=False),
)

keyword = Table(
    "keyword",
    metadata,
    Column("word", Text, primary_key=True),
    Column("id", Uid, nullable=False, unique=True),
    Column("action", Text, nullable=False),
    Column("poll", Text, nullable=False),
    Column("option", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("created_at", Moment, nullable=False),
)

vote = Table(
    "vote",
    metadata,
    Column("poll", Text, primary_key=True),
    Column("voter", Text, primary_key=True),
    Column("person_id", Uid),
    Column("option", Text, nullable=False),
    Column("inbound_id", Uid, nullable=False),
    Column("voted_at", Moment, nullable=False),
)
