"""Ids of people that were merged into others: rows under them stand with the known record."""

from kantis_kit.db.aliases import alias_table
from messaging_svc.base import metadata

person_alias = alias_table(metadata)
