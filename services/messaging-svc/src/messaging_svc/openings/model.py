"""How often something was opened that messages wait for: one row."""

from sqlalchemy import BigInteger, Boolean, Column, Table

from messaging_svc.base import metadata

opening = Table(
    "opening",
    metadata,
    Column("is_only", Boolean, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
