"""Which database sent last: one row, made by the first sender that starts, never by a migration."""

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from messaging_svc.base import Moment, metadata

sending = Table(
    "sending",
    metadata,
    Column("is_only", Boolean, primary_key=True),
    Column("database_oid", BigInteger, nullable=False),
    Column("system_identifier", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("held_since", Moment),
    Column("reason", Text, nullable=False),
)
