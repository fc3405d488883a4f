"""Places on web sites, what they show to whom, and how often that was looked at."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Integer, Table, Text

from messaging_svc.base import Moment, Uid, metadata

web_place = Table(
    "web_place",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("default_language", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

web_content = Table(
    "web_content",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("place_key", Text, ForeignKey("web_place.key"), nullable=False),
    Column("name", Text, nullable=False),
    # The version that stands.
    Column("number", Integer, nullable=False),
    Column("audience", Text, nullable=False),
    Column("audience_id", Uid),
    Column("priority", Integer, nullable=False),
    Column("valid_from", Moment),
    Column("valid_to", Moment),
    Column("is_off", Boolean, nullable=False, server_default="false"),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

web_text = Table(
    "web_text",
    metadata,
    Column("content_id", Uid, ForeignKey("web_content.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("source", Text, nullable=False),
    # Without anything that could act on a page, its tags still to be filled in.
    Column("html", Text, nullable=False),
    Column("saved_by", Text, nullable=False),
    Column("saved_at", Moment, nullable=False),
)

web_member = Table(
    "web_member",
    metadata,
    Column("segment_id", Uid, primary_key=True),
    Column("person_id", Uid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("is_member", Boolean, nullable=False),
)

web_dismissal = Table(
    "web_dismissal",
    metadata,
    Column("content_id", Uid, ForeignKey("web_content.id"), primary_key=True),
    Column("person_id", Uid, primary_key=True),
    Column("dismissed_at", Moment, nullable=False),
)

web_count = Table(
    "web_count",
    metadata,
    Column("content_id", Uid, ForeignKey("web_content.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("times", BigInteger, nullable=False),
)
