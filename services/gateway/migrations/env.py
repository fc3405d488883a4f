"""Migrations of the gateway."""

from gateway.model_registry import metadata
from kantis_kit.db.environment import run

run(metadata)
