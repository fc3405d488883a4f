"""Mail servers that take our mails, limits by the recipient's domain, and how both fare."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from messaging_svc.base import Moment, Uid, metadata

SEALED = "relay secrets"
"""What the passwords are sealed for."""

relay = Table(
    "relay",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("tls", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    # The password, sealed; it is never shown again.
    Column("sealed", LargeBinary),
    Column("connections", Integer, nullable=False),
    # Patterns of domains, or `group:` and a name; empty: every domain.
    Column("domains", ARRAY(Text), nullable=False),
    # The lower one is asked first.
    Column("priority", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

domain_group = Table(
    "domain_group",
    metadata,
    Column("name", Text, primary_key=True),
    Column("patterns", ARRAY(Text), nullable=False),
    # Whether the limits hold for all its domains together, as for those that one company receives for.
    Column("is_together", Boolean, nullable=False),
    Column("messages_per_minute", Integer),
    Column("connections", Integer),
    Column("changed_at", Moment, nullable=False),
)

routing = Table(
    "routing",
    metadata,
    Column("is_only", Boolean, primary_key=True),
    # Goes up with each change of relays and groups: senders look at it.
    Column("revision", BigInteger, nullable=False),
)

relay_report = Table(
    "relay_report",
    metadata,
    Column("relay_id", Uid, primary_key=True),
    Column("sender", Uid, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("last_answer", Text, nullable=False),
    Column("connections", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("told_at", Moment, nullable=False),
)

slow_domain = Table(
    "slow_domain",
    metadata,
    # A group's name, where its limits hold together, else a domain.
    Column("lane", Text, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("closed_until", Moment, nullable=False),
    Column("closings", Integer, nullable=False),
    Column("last_answer", Text, nullable=False),
)
