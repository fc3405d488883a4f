"""Ids of people that were merged into others: rows under them stand with the known record."""

from kantis_kit.db.aliases import alias_table
from orders_svc.base import Base

person_alias = alias_table(Base.metadata)
