"""The service agrees with its schema and with its README."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from kantis_contracts import orders as contracts
from kantis_contracts.base import Event
from kantis_kit.testing.schema import schema_problems
from kantis_kit.web.paging import encode_cursor
from kantis_kit.web.schemas import In
from orders_svc.main import SPEC

README = Path(__file__).parents[1] / "README.md"


async def test_the_schema_goes_up_down_and_up_again_and_is_what_the_models_say(rig_for):
    rig = await rig_for(SPEC, start=False)

    assert [] == await schema_problems(rig.service)


def section(name: str) -> str:
    return README.read_text(encoding="utf-8").split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([a-z]+\.[a-z_.]+\.v\d+)`", text))


def test_the_readme_lists_the_routes_that_there_are():
    listed = set(re.findall(r"`((?:GET|POST|PATCH|PUT|DELETE) /\S*)`", section("API")))
    routers = [*SPEC.routers, *(router for group in SPEC.public.values() for router in group)]
    there = {
        f"{method} {route.path}"
        for router in routers
        for route in router.routes
        for method in route.methods
    }

    assert there == listed


def test_the_readme_lists_the_events_that_come_and_go():
    ours = {
        kind.type
        for kind in vars(contracts).values()
        if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
    }

    assert ours == quoted(section("Publishes"))
    assert {handler.event.type for handler in SPEC.handlers} == quoted(section("Consumes"))


def bodies(kind: type[In]) -> list[type[In]]:
    return [kind, *(deeper for one in kind.__subclasses__() for deeper in bodies(one))]


def test_every_example_of_a_request_is_one_that_is_taken():
    ours = [kind for kind in bodies(In) if kind.__module__.startswith("orders_svc.")]
    examples = {
        kind: (kind.model_config.get("json_schema_extra") or {}).get("example") for kind in ours
    }
    parts = {
        "CreditLineIn",
        "CreditAmountIn",
        "OrderLineIn",
        "PartIn",
        "ShipTo",
        "AddressIn",
        "Place",
        "QuestionAnswerIn",
        "WebAnswerIn",
        "WishIn",
    }  # inside others, and a page without a description

    assert parts == {kind.__name__ for kind, example in examples.items() if example is None}
    for kind, example in examples.items():
        if example is not None:
            kind.model_validate(example)


async def test_the_same_answer_again_is_a_described_answer(rig_for):
    rig = await rig_for(SPEC, start=False)

    described = rig.service.openapi()["paths"]["/v1/responses"]["post"]["responses"]

    assert described["201"]["content"] == described["200"]["content"]


@pytest.mark.parametrize(
    "keys",
    [
        ("2026-01-01T00:00:00", UUID(int=1)),
        ("0001-01-01T00:00:00+14:00", UUID(int=1)),
        ("x", "y"),
        (None, 1),
    ],
)
async def test_a_made_up_place_in_a_list_is_refused(rig_for, keys):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.get("/v1/responses", params={"cursor": encode_cursor(*keys)})

    assert (422, "cursor") == (answer.status_code, answer.json()["detail"][:6])
