"""Migrations of messaging-svc."""

from kantis_kit.db.environment import run
from messaging_svc.model_registry import metadata

run(metadata)
