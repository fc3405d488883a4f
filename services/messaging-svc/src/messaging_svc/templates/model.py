"""Templates and their versions, which never change."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, Uid, metadata

template = Table(
    "template",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("archived_at", Moment),
    # Counts how often another version came to stand, so that others know which news is the newest.
    Column("revision", Integer, nullable=False, server_default="1"),
)

template_version = Table(
    "template_version",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("template_id", Uid, ForeignKey("template.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("source", JSONB, nullable=False),
    Column("compiled", JSONB, nullable=False),
    Column("products", JSONB, nullable=False, server_default="[]"),
    Column("message_class", Text, nullable=False, server_default="marketing"),
    Column("created_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)
