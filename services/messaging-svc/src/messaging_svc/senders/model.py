"""What the DNS said of the domains that we send from."""

from sqlalchemy import Boolean, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Moment, metadata

sender_check = Table(
    "sender_check",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("is_good", Boolean, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("checked_at", Moment, nullable=False),
)
