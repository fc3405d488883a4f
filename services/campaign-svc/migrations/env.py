"""Migrations of campaign-svc."""

from campaign_svc.model_registry import metadata
from kantis_kit.db.environment import run

run(metadata)
