"""Conversations with people: what they wrote and what they were answered, over all channels, in order."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, Uid, metadata

NOTIFY_CHANNEL = "kantis_conversations"
LEASE = timedelta(hours=2)
"""Whoever has taken a conversation and does nothing with it for so long holds it no longer."""


class Way(StrEnum):
    """How somebody talks to us."""

    EMAIL = "email"
    SMS = "sms"
    CHAT = "chat"
    CALL = "call"
    """They want to be called back."""


class State(StrEnum):
    """Whose turn it is."""

    OPEN = "open"
    """Ours: an answer is due."""
    WAITING = "waiting"
    """Theirs: we have asked something."""
    ANSWERED = "answered"
    CLOSED = "closed"


class Direction(StrEnum):
    """Who a message is from; a note is seen by our own people alone."""

    IN = "in"
    OUT = "out"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; `refused` says why it is not kept."""

    name: str
    kind: str
    size_bytes: int
    content: bytes = b""
    refused: str = ""


conversation = Table(
    "conversation",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("person_id", Uid),
    # The id under which it came, while a merge has it stand with another.
    Column("merged_id", Uid),
    # What is known of who writes; the only thing, as long as nobody is recognised.
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email_hash", LargeBinary),
    Column("phone_hash", LargeBinary),
    # Of the last message that came in: how it is answered.
    Column("channel", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("country", Text, nullable=False),
    # The message of ours that it answers, and its campaign.
    Column("answers_id", Uid),
    Column("campaign_id", Uid),
    Column("campaign_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("assigned_until", Moment),
    Column("due_at", Moment, nullable=False),
    Column("warn_at", Moment, nullable=False),
    Column("breaches", Integer, nullable=False),
    # When they want to be called, and in which zone they said so.
    Column("wished_at", Moment),
    Column("zone", Text, nullable=False),
    Column("close_reason", Text, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("closed_at", Moment),
    Column("merged_into", Uid),
    # The number of its last message; grows under the lock of this row, so that nobody sees a gap that is filled later.
    Column("last_number", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    # By which visitors are counted; a keyed hash of their network address.
    Column("visitor_hash", LargeBinary),
    Column("created_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)

conversation_message = Table(
    "conversation_message",
    metadata,
    Column("id", Uid, primary_key=True),
    Column(
        "conversation_id", Uid, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False
    ),
    Column("number", Integer, nullable=False),
    Column("direction", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    # The name of a mail (RFC 5322), to which an answer refers.
    Column("rfc_message_id", Text, nullable=False),
    # What makes a message that comes twice one message.
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    # Attachments that were not kept, each with its reason.
    Column("refused", JSONB, nullable=False),
    Column("written_at", Moment, nullable=False),
)

conversation_file = Table(
    "conversation_file",
    metadata,
    Column("id", Uid, primary_key=True),
    Column(
        "message_id", Uid, ForeignKey("conversation_message.id", ondelete="CASCADE"), nullable=False
    ),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

answer_template = Table(
    "answer_template",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("languages", JSONB, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
