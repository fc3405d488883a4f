"""Letters: where people live, and batches on their way to a printing house."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Integer,
    Table,
    Text,
)

from messaging_svc.base import Moment, Uid, metadata

letter_address = Table(
    "letter_address",
    metadata,
    Column("person_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("postal_code", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("is_undeliverable", Boolean, nullable=False),
)

letter_batch = Table(
    "letter_batch",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("country", Text, nullable=False),
    Column("campaign_id", Uid),
    Column("print_on", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("letters", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("pdf_bytes", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("worked_on_until", Moment),
    Column("created_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ready_at", Moment),
    Column("ended_at", Moment),
    Column("printing_house", Text, nullable=False),
    Column("files_deleted_at", Moment),
)

letter_piece = Table(
    "letter_piece",
    metadata,
    Column("message_id", Uid, ForeignKey("dispatch.id"), primary_key=True),
    Column("batch_id", Uid, ForeignKey("letter_batch.id"), nullable=False),
    Column("person_id", Uid, nullable=False),
    Column("position", Integer),
    Column("language", Text, nullable=False),
    Column("preferred_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("postal_code", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("return_code", Text, nullable=False),
    Column("pages", Integer, nullable=False),
)
