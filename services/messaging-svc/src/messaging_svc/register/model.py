"""Own copies of what contacts-svc knows: enough to address, greet and permit."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

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
    Column("phone", Text),
    Column("phone_hash", LargeBinary),
    Column("do_not_contact", Boolean, nullable=False, server_default="false"),
    Column("not_before", Date),
    # One that the database knows; by the country where the card names none.
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    # Since when the address is this one: what comes back of an older message is about another.
    Column("email_since", Moment),
    Column("phone_since", Moment),
)

wish_card = Table(
    "wish_card",
    metadata,
    Column("person_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("topics", JSONB, nullable=False),
    Column("channels", JSONB, nullable=False),
    Column("hour_from", Integer),
    Column("hour_to", Integer),
    Column("days", JSONB, nullable=False),
    Column("per_month", Integer),
    Column("paused_until", Moment),
    Column("changed_at", Moment, nullable=False),
)

suppression_card = Table(
    "suppression_card",
    metadata,
    Column("suppression_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("address_hash", LargeBinary),
    Column("scope", Text, nullable=False),
    Column("scope_id", Text, nullable=False),
    Column("is_lifted", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
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
