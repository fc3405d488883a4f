"""Calls: who is what in which organisation, what was learned about people, and calls that somebody has taken."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, Uid, metadata

link_card = Table(
    "link_card",
    metadata,
    Column("link_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("person_id", Uid, nullable=False),
    Column("organisation_id", Uid, nullable=False),
    Column("organisation_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("relevance", Integer, nullable=False),
    Column("is_main", Boolean, nullable=False),
    Column("do_not_contact", Boolean, nullable=False),
    Column("not_before", Date),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("is_removed", Boolean, nullable=False),
)

insight_card = Table(
    "insight_card",
    metadata,
    Column("insight_id", Uid, primary_key=True),
    Column("person_id", Uid, nullable=False),
    Column("term", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("words", JSONB, nullable=False),
    Column("strength", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("until", Moment),
    Column("is_taken_back", Boolean, nullable=False),
)

call_outcome = Table(
    "call_outcome",
    metadata,
    Column("code", Text, primary_key=True),
    Column("effect", Text, nullable=False),
    Column("words", JSONB, nullable=False),
    Column("wait_minutes", Integer, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

call_batch = Table(
    "call_batch",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("campaign_id", Uid),
    Column("call_centre", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_back_at", Moment, nullable=False),
    Column("recalled_at", Moment),
)

call = Table(
    "call",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("message_id", Uid, ForeignKey("dispatch.id"), nullable=False),
    # Of the claim with which it was taken: an outcome counts while nobody has taken the call since.
    Column("fence", BigInteger, nullable=False),
    Column("person_id", Uid),
    Column("batch_id", Uid, ForeignKey("call_batch.id")),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("caller", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("taken_at", Moment, nullable=False),
    Column("held_until", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("effect", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("follow_up", Text, nullable=False, server_default=""),
    Column("learned", JSONB, nullable=False, server_default="[]"),
    Column("call_back_at", Moment),
    Column("ended_at", Moment),
)

call_file = Table(
    "call_file",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("batch_id", Uid, ForeignKey("call_batch.id"), nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("already", Integer, nullable=False),
    Column("rejected", JSONB, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("sent_at", Moment, nullable=False),
)
