"""Fixtures that every test of the house can ask for."""

pytest_plugins = ["kantis_kit.testing.postgres", "kantis_kit.testing.rig"]
