"""When messages may begin: hours by country and channel, public holidays, and the zones that the database knows."""

from sqlalchemy import Boolean, Column, Date, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from messaging_svc.base import Moment, metadata

time_zone = Table("time_zone", metadata, Column("name", Text, primary_key=True))

public_holiday = Table(
    "public_holiday",
    metadata,
    Column("country", Text, primary_key=True),
    Column("day", Date, primary_key=True),
)

sending_hours = Table(
    "sending_hours",
    metadata,
    # Empty: every country that has no row of its own.
    Column("country", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    # The company's own hours hold before the defaults.
    Column("is_own", Boolean, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    # Minutes of the local day, Monday first; NULL is a day on which nothing begins.
    Column("opens", ARRAY(SmallInteger), nullable=False),
    Column("closes", ARRAY(SmallInteger), nullable=False),
    Column("rests_on_holidays", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
