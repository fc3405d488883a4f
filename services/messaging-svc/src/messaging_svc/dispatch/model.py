"""The dispatch ledger: one row per message, made before anything is sent."""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, Uid, metadata


class State(StrEnum):
    """Where a message stands; the last five are ends."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"


dispatch_source = Table(
    "dispatch_source",
    metadata,
    Column("id", Uid, primary_key=True),
    # Of a launch's cell; a step has an asker instead, whose name stands as that of the campaign.
    Column("launch_id", Uid),
    Column("cell_id", Uid),
    Column("campaign_id", Uid),
    Column("campaign_name", Text, nullable=False),
    Column("key_code", Text, nullable=False),
    Column("cell_name", Text, nullable=False),
    Column("segment_id", Uid),
    Column("segment_name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("template_id", Uid, nullable=False),
    Column("template_version_id", Uid, ForeignKey("template_version.id")),
    Column("offer", JSONB),
    Column("cost_per_piece_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("topic", Text, nullable=False, server_default=""),
    Column("list_id", Uid),
    Column("asker_kind", Text, nullable=False, server_default="campaign"),
    Column("asker_id", Uid),
    Column("asker_version", Integer),
    Column("step", Text, nullable=False, server_default=""),
    Column("message_class", Text, nullable=False, server_default="marketing"),
    Column("class_reason", Text, nullable=False, server_default=""),
)

dispatch = Table(
    "dispatch",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("origin_id", Uid, nullable=False),
    Column("person_id", Uid),
    Column("channel", Text, nullable=False),
    Column("is_marketing", Boolean, nullable=False),
    Column("purpose", Text),
    Column("source_id", Uid, ForeignKey("dispatch_source.id")),
    Column("piece_id", Uid),
    Column("response_code", Text, nullable=False),
    Column("because", JSONB, nullable=False),
    Column("template_version_id", Uid, ForeignKey("template_version.id")),
    Column("builtin", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("to_email", Text),
    Column("to_phone", Text),
    Column("language", Text),
    Column("preferred_name", Text),
    Column("not_after", Moment),
    Column("state", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("claimed_by", Uid),
    Column("claimed_until", Moment),
    Column("fence", BigInteger, nullable=False),
    Column("permission", JSONB),
    Column("rfc_message_id", Text, nullable=False),
    Column("planned_at", Moment, nullable=False),
    Column("claimed_at", Moment),
    Column("handed_over_at", Moment),
    Column("settled_at", Moment),
    Column("is_announced", Boolean, nullable=False),
    # The id that the message was planned for, while a merge has it stand with another.
    Column("merged_id", Uid),
    # Of the campaign: the higher one is told where a cap lets only one be.
    Column("priority", Integer, nullable=False, server_default="50"),
    # What its piece costs, in the currency of its source.
    Column("cost_minor", BigInteger, nullable=False, server_default="0"),
    # What the gate has said so far other than yes, with times: rule, at, until, facts.
    Column("decisions", JSONB, nullable=False, server_default="[]"),
)
