"""Fixtures that every test of the house can ask for, and the order in which tests run."""

import gc

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # no test fails for being slow
settings.load_profile("house")

# Nothing that importing and collecting makes is garbage.
gc.disable()

pytest_plugins = ["kantis_kit.testing.postgres", "kantis_kit.testing.rig"]

LONG = (
    "tests/resilience/",
    "tests/e2e/",
    "tests/connected/",
    "tests/architecture/test_newcomer.py",
    "services/gateway/tests/crash/",
    "tests/privacy/",
    "tests/browser/",
    "tests/fuzz/",
)
"""Where single tests last tens of seconds, or begin with a whole house."""


def _rank(item: pytest.Item) -> int:
    return next((n for n, place in enumerate(LONG) if item.nodeid.startswith(place)), len(LONG))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what lasts longest, so that no worker is left with it alone at the end.

    Side by side they are one worker's work: no two houses want the machine at once, and theirs is built once.
    """
    items.sort(key=_rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Take what was imported and collected out of the garbage collector's rounds: it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.enable()
