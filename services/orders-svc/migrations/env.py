"""Migrations of orders-svc."""

from kantis_kit.db.environment import run
from orders_svc.model_registry import metadata

run(metadata)
