"""Own copies of what contacts-svc knows: enough to address, greet and permit."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, Table, Text

from messaging_svc.base import Moment, Uid, metadata

person_card = Table(
    "person_card",
    metadata,
    Column("person_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("preferred_name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("email", Text),
    Column("email_hash", LargeBinary),
    Column("is_erased", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
    # Of a card that has lost its address: what was said of that address is still to be found when it is merged.
    Column("last_email_hash", LargeBinary),
)

permission_card = Table(
    "permission_card",
    metadata,
    Column("person_id", Uid, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("ledger_id", Uid, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("occurred_at", Moment, nullable=False),
)
