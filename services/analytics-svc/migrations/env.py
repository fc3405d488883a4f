"""Migrations of analytics-svc."""

from analytics_svc.model_registry import metadata
from kantis_kit.db.environment import run

run(metadata)
