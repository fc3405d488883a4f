"""Ids of people that were merged into others: rows under them stand with the known record."""

from campaign_svc.base import Base
from kantis_kit.db.aliases import alias_table

person_alias = alias_table(Base.metadata)
