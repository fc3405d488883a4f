"""The service as a whole: its canvas, its schema, its tables."""

import re
from pathlib import Path

from contacts_svc.main import SPEC
from kantis_contracts.base import REGISTRY
from kantis_kit.testing.schema import schema_problems

ROOT = Path(__file__).parents[1]
CANVAS = (ROOT / "README.md").read_text(encoding="utf-8")


def section(name):
    return CANVAS.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]


def test_the_canvas_names_every_route_and_no_other():
    listed = set(re.findall(r"`([A-Z]+ /[^`]*)`", section("API")))
    routers = [*SPEC.routers, *(router for group in SPEC.public.values() for router in group)]
    there = {
        f"{method} {route.path}"
        for router in routers
        for route in router.routes
        for method in route.methods
    }

    assert there == listed


def test_the_canvas_names_what_is_consumed_and_published():
    assert {handler.event.type for handler in SPEC.handlers} == set(
        re.findall(r"`([a-z._0-9]+)`", section("Consumes"))
    )
    ours = {kind for kind in REGISTRY if kind.startswith("contacts.")}
    assert ours == set(re.findall(r"`([a-z._0-9]+)`", section("Publishes")))


async def test_the_migrations_go_up_down_and_up_and_make_what_the_models_say(rig_for):
    rig = await rig_for(SPEC, start=False)

    assert [] == await schema_problems(rig.service)
