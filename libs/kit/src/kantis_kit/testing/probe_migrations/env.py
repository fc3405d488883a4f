"""Migrations of the probe service."""

from kantis_kit.db.environment import run

run()
