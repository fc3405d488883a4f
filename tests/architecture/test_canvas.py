"""The canvas of each service, in its README, says what its code says: API, events out, events in."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

import event_docs
from kantis.registry import ALL, SERVICES, spec_of
from kantis_contracts.base import TYPE_PATTERN

SERVICE_FOLDERS = event_docs.ROOT / "services"
HEADINGS = ("Owns", "API", "Publishes", "Consumes", "Promises")
ROUTE = re.compile(r"`((?:GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) /[^`\s]*)`")
BY_BROWSERS = ("HEAD ", "OPTIONS ")
"""What browsers and mail clients ask before or instead of a route that is listed; it may be left out."""

TYPES = {event.__name__: event.type for event in event_docs.published_events()}
every_service = pytest.mark.parametrize("service", ALL)


def folder_of(service: str) -> Path:
    return SERVICE_FOLDERS / (service if service == "gateway" else f"{service}-svc")


def canvas_of(service: str) -> str:
    return (folder_of(service) / "README.md").read_text(encoding="utf-8")


def sections(canvas: str) -> dict[str, str]:
    """Return the text under each `## Heading`."""
    _, *parts = re.split(r"^## ", canvas, flags=re.MULTILINE)
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in parts}


def listed_routes(text: str) -> list[str]:
    return ROUTE.findall(text)


def listed_events(text: str) -> list[str]:
    return [word for word in re.findall(r"`([^`\s]+)`", text) if TYPE_PATTERN.match(word)]


def routes_in(router: APIRouter) -> Iterator[str]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield from (f"{method} {route.path}" for method in route.methods)
        else:
            yield from routes_in(route.original_router)  # a router that this one includes


def routes_of(service: str) -> set[str]:
    """Return the routes of a service, those that the kit gives to everyone aside."""
    spec = spec_of(service)
    pages = [router for routers in spec.public.values() for router in routers]
    return {route for router in (*spec.routers, *pages) for route in routes_in(router)}


@cache
def wiring() -> event_docs.Wiring:
    """Return what all services publish and consume; reading them takes seconds, so it is done once."""
    return event_docs.read_wiring(SERVICE_FOLDERS)


@cache
def built_events(source: Path) -> set[str]:
    """Return the types of all events that are built anywhere below a folder."""
    names: set[str] = set()
    for file in source.rglob("*.py"):
        names |= event_docs._built_classes(ast.parse(file.read_text(encoding="utf-8")))
    return {TYPES[name] for name in names & TYPES.keys()}


def consumed_events(service: str) -> set[str]:
    return {handler.event.type for handler in spec_of(service).handlers}


def differences(listed: list[str], real: set[str], *, optional: tuple[str, ...] = ()) -> list[str]:
    """Say in sentences what a canvas lists and the code has not, and the other way round."""
    found = [f"{one} is listed twice" for one in sorted(set(listed)) if listed.count(one) > 1]
    found += [f"{one} is listed, the code has it not" for one in sorted(set(listed) - real)]
    missing = sorted(one for one in real - set(listed) if not one.startswith(optional))
    return found + [f"{one} is in the code, the canvas lists it not" for one in missing]


def problems(service: str, canvas: str) -> list[str]:
    """Compare a canvas with the code of its service."""
    parts = sections(canvas)
    found = [f"the heading ## {one} is missing" for one in HEADINGS if not parts.get(one, "")]
    if found:
        return found
    source = folder_of(service) / "src"
    return [
        *differences(listed_routes(parts["API"]), routes_of(service), optional=BY_BROWSERS),
        *differences(listed_events(parts["Publishes"]), built_events(source)),
        *differences(listed_events(parts["Consumes"]), consumed_events(service)),
    ]


@every_service
def test_the_canvas_says_what_the_code_says(service: str):
    assert [] == problems(service, canvas_of(service))


@every_service
def test_events_are_built_in_the_files_that_the_generated_documents_read(service: str):
    published = wiring().published
    name = folder_of(service).name
    told = {TYPES[one] for one in published.keys() & TYPES if name in published[one]}

    assert told == built_events(folder_of(service) / "src"), "build events in events.py only"


def whole(service: str) -> str:
    """A canvas that says exactly what the code says."""
    lists = {
        "API": routes_of(service),
        "Publishes": built_events(folder_of(service) / "src"),
        "Consumes": consumed_events(service),
    }
    lines = [f"# {service}", ""]
    for heading in HEADINGS:
        lines += [f"## {heading}", "", *(f"- `{one}`" for one in lists.get(heading, ["x"])), ""]
    return "\n".join(lines)


PLANTED = {
    "a route that does not exist": (
        "- `POST /v1/orders/{order_id}/pick`",
        "- `POST /v1/orders/{order_id}/pick`\n- `POST /v1/orders/{order_id}/paint`",
        ["POST /v1/orders/{order_id}/paint is listed, the code has it not"],
    ),
    "a route that is not listed": (
        "- `POST /v1/orders/{order_id}/pick`\n",
        "",
        ["POST /v1/orders/{order_id}/pick is in the code, the canvas lists it not"],
    ),
    "a route with another method": (
        "- `POST /v1/orders/{order_id}/pick`",
        "- `PUT /v1/orders/{order_id}/pick`",
        [
            "PUT /v1/orders/{order_id}/pick is listed, the code has it not",
            "POST /v1/orders/{order_id}/pick is in the code, the canvas lists it not",
        ],
    ),
    "a public page that is not listed": (
        "- `GET /r/{code}`\n",
        "",
        ["GET /r/{code} is in the code, the canvas lists it not"],
    ),
    "an event that nobody publishes": (
        "- `orders.order.paid.v1`",
        "- `orders.order.paid.v1`\n- `orders.order.painted.v1`",
        ["orders.order.painted.v1 is listed, the code has it not"],
    ),
    "an event that is published and not listed": (
        "- `orders.order.paid.v1`\n",
        "",
        ["orders.order.paid.v1 is in the code, the canvas lists it not"],
    ),
    "an event that is consumed and not listed": (
        "- `contacts.person.changed.v1`\n",
        "",
        ["contacts.person.changed.v1 is in the code, the canvas lists it not"],
    ),
    "an event that is listed twice": (
        "- `contacts.person.changed.v1`",
        "- `contacts.person.changed.v1`\n- `contacts.person.changed.v1`",
        ["contacts.person.changed.v1 is listed twice"],
    ),
    "a heading that is not there": ("## Promises", "### Promises", ["the heading ## Promises is missing"]),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), PLANTED.values(), ids=PLANTED.keys())
def test_a_canvas_that_says_something_else_is_noticed(old: str, new: str, expected: list[str]):
    canvas = whole("orders")
    assert old in canvas

    assert expected == problems("orders", canvas.replace(old, new, 1))


@every_service
def test_a_whole_canvas_has_no_problem(service: str):
    assert [] == problems(service, whole(service))


def test_a_head_request_may_be_left_out_but_not_invented():
    assert [] == differences(["GET /c/{token}"], routes_of("messaging") & {"GET /c/{token}", "HEAD /c/{token}"}, optional=BY_BROWSERS)  # fmt: skip
    assert ["HEAD /x is listed, the code has it not"] == differences(["HEAD /x"], set(), optional=BY_BROWSERS)  # fmt: skip


def test_every_folder_of_a_service_has_its_canvas_compared():
    assert {folder_of(one).name for one in ALL} == {one.name for one in SERVICE_FOLDERS.iterdir() if one.is_dir()}  # fmt: skip
    assert set(SERVICES) < set(ALL)
