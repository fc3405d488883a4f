"""Fixtures that every test of the house can ask for."""

from hypothesis import settings

settings.register_profile("house", deadline=None)  # no test fails for being slow
settings.load_profile("house")

pytest_plugins = ["kantis_kit.testing.postgres", "kantis_kit.testing.rig"]
