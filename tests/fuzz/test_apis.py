"""Requests that nobody would think of, invented from each service's own description of itself.

Schemathesis invents them, in a thread of its own; the service runs where its rig does. What is found is collected and
told at the end: data that earlier requests left behind makes the shrinking of a single request pointless.
"""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# The loops of the service under test draw their jitter in another thread, while the strategies of this one are drawn.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
BASE = "http://service.test"
PROBLEM = "application/problem+json"
SERVER_ERROR, BAD_REQUEST, WRONG_METHOD = 500, 400, 405
ORDER = ("post", "put", "patch", "get", "head", "options", "delete")
"""First what makes things, last what takes them away."""

HOSTILE: tuple[Any, ...] = (
    "\x00", "Kari\x00Nordmann", "\ud800", "a\udfff\ud83d", "\u202eopp ned\u202c", "Å" * 300, "🧨" * 5_000,
    "\ufeff\u200b", "é".encode().decode("latin-1"), "' OR 1=1; --", "{{ 7 * 7 }}", "%00%ff", "=cmd()",
    "../../etc/passwd", "line\r\nX-Injected: yes", "1e999", "NaN", "0001-01-01", "9999-12-31T23:59:59+14:00",
    "00000000-0000-0000-0000-000000000000", "", " ", -1, 0, 2**31, 2**63, -(2**63) - 1, 10**40, 0.1, 1e308, True,
    None, [], {}, [[]], {"\x00": 1}, {"op": "all", "of": []},
)  # fmt: skip
IN_ADDRESSES = (
    "%00", "a%00b", "%ff%fe", "%ed%a0%80", "..%2f..%2f", "%2e%2e", "%0d%0aX-Injected:%20yes", "-1", "0", "1e9",
    "9223372036854775808", "1" * 400, "%F0%9F%A7%A8" * 90, "%27%20OR%201=1--", "null", "%20", "nan", "true",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "%5B%5D", "AQ", "WzFd",
    "WyJcdTAwMDAiXQ", "WyJcdWQ4MDAiXQ", "W251bGxd", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieCJd",
    "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwiMDFhMjA0YTMtNWFmNi03MjFlLTk5NGQtZDU0NWQzOGU2YjNhIl0",
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwiMDFhMjA0YTMtNWFmNi03MjFlLTk5NGQtZDU0NWQzOGU2YjNhIl0",
)  # fmt: skip
HEADERS = {
    "idempotency-key": ("", "\xe6\xf8\xe5", "a" * 256, "x\ty"),
    "if-match": ("", '"1"', "W/\"1\"", "\xff", "*"),
    "accept-language": ("", "*", "nb;q=nan", "x" * 3_000, "\xe6", ",,;;==", "da;q=1e999, fi;q=-1"),
    "x-correlation-id": ("\xff", "0" * 32, "{}"),
    "x-forwarded-for": ("", "\xff", "999.1.1.1", "::1, x", "a" * 3_000),
    "user-agent": ("", "\xff\xfe", "a" * 6_000),
    "content-type": ("", "/", "application/json; charset=utf-99", "multipart/form-data", "text/csv; charset=nul"),
    "origin": ("null", "\xff", "https://[", "https://" + "a" * 3_000),
    "cookie": ("\xff", "a=b; ;=;", "\x01"),
}  # fmt: skip


class Judge:
    """Sends requests and keeps what no answer may be."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.found: dict[tuple[str, str], str] = {}
        self.statuses: Counter[int] = Counter()

    def turn_to(self, description: dict[str, Any], *, is_pages: bool) -> None:
        """Judge by this description from now on; pages for visitors refuse with a page."""
        self.schema = schemathesis.openapi.from_dict(description)
        self.is_pages = is_pages

    @property
    def operations(self) -> list[Any]:
        """What the description offers, in the order in which it is tried."""
        found = [result.ok() for result in self.schema.get_all_operations()]
        return sorted(found, key=lambda one: ORDER.index(one.method))

    def try_case(self, case: Any) -> None:
        """Send an invented request and compare the answer with the description."""
        try:
            request = _wire(case)
        except httpx.InvalidURL:
            return  # longer than any client sends
        answer = self.try_request(f"{case.method} {case.path}", request)
        if not self.is_pages and answer.status_code != WRONG_METHOD:
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as group:
                for one in group.exceptions:
                    self._keep(
                        f"{case.method} {case.path}", f"{one.title}: {one.message[:300]}", answer
                    )

    def try_request(self, operation: str, request: httpx.Request) -> httpx.Response:
        """Send a request; whatever it is, the service does not fail, and says in our way what is wrong."""
        answer: httpx.Response = self.house.send(request)
        self.statuses[answer.status_code] += 1
        status, kind = answer.status_code, answer.headers.get("content-type", "")
        if status >= SERVER_ERROR:
            self._keep(operation, f"{status}", answer)
        elif (
            status >= BAD_REQUEST
            and kind != PROBLEM
            and not (self.is_pages and "text/html" in kind)
        ):
            self._keep(operation, f"{status} is no problem+json but {kind}", answer)
        if "x-injected" in answer.headers:
            self._keep(operation, "a header was injected", answer)
        return answer

    def _keep(self, operation: str, what: str, answer: httpx.Response) -> None:
        sent = answer.request
        told = (
            f"{sent.method} {sent.url!s:.300}\n  {sent.content[:500]!r}\n  -> {answer.text[:300]}"
        )
        self.found.setdefault((operation, what), told)

    def tell(self) -> str:
        """Return what was found, for people."""
        return "\n\n".join(f"{' '.join(key)}\n  {told}" for key, told in sorted(self.found.items()))


def _wire(case: Any) -> httpx.Request:
    made = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    headers = [
        (name, value) for name, value in made.headers.items() if name.lower() != "content-length"
    ]
    return httpx.Request(made.method, made.url, headers=headers, content=made.body)


def _invent(strategy: Any, examples: int) -> list[Any]:
    invented: list[Any] = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def collect(case: Any) -> None:
        invented.append(case)

    # Where anything goes nothing is unsound, and nothing is invented.
    with contextlib.suppress(Unsatisfiable):
        collect()
    return invented


def _boundaries(operation: Any, rng: random.Random, most: int) -> list[Any]:
    generation = operation.schema.config.generation_for(operation=operation, phase="coverage")
    cases = operation.schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=generation
    )
    some = list(islice(cases, most * 8))  # conditions within conditions have no end of them
    return some if len(some) <= most else rng.sample(some, most)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inner:
        yield from _places(one, (*path, key))


def _with(value: Any, path: tuple[Any, ...], poison: Any) -> Any:
    if not path:
        return poison
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], poison)
    return copy


def _poisoned_bodies(body: Any, rng: random.Random, most: int) -> Iterator[bytes]:
    pairs = [(place, poison) for place in _places(body) for poison in HOSTILE]
    for place, poison in pairs if len(pairs) <= most else rng.sample(pairs, most):
        yield json.dumps(_with(body, place, poison)).encode()


def _poisoned(operation: Any, case: Any, rng: random.Random, most: int) -> Iterator[httpx.Request]:
    sound = _wire(case)
    address = str(sound.url)
    if isinstance(case.body, dict | list) and case.media_type == "application/json":
        for content in _poisoned_bodies(case.body, rng, most):
            yield httpx.Request(
                sound.method, address, headers={"content-type": "application/json"}, content=content
            )
    plain = {name: str(value) for name, value in case.path_parameters.items()}
    addresses = [
        BASE + case.path.format(**{**plain, name: poison})
        for name in plain
        for poison in IN_ADDRESSES
    ]
    joint = "&" if "?" in address else "?"
    addresses += [
        f"{address}{joint}{parameter.name}={poison}"
        for parameter in operation.query
        for poison in IN_ADDRESSES
    ]
    body = {
        "headers": {"content-type": sound.headers.get("content-type", "")},
        "content": sound.content,
    }
    for poisoned in addresses if len(addresses) <= most else rng.sample(addresses, most):
        yield httpx.Request(sound.method, poisoned, **body)
    lines = [
        (name, value.encode("latin-1")) for name, values in HEADERS.items() for value in values
    ]
    for name, line in lines if len(lines) <= most else rng.sample(lines, most):
        headers = [(key, value) for key, value in sound.headers.raw if key.lower() != name.encode()]
        yield httpx.Request(
            sound.method, address, headers=[*headers, (name.encode(), line)], content=sound.content
        )


def explore(judge: Judge, *, boundaries: int, examples: int, poisons: int) -> None:
    """Try every operation of a description with sound, unsound and hostile requests."""
    rng = random.Random(7)
    for operation in judge.operations:
        for case in _boundaries(operation, rng, boundaries):
            judge.try_case(case)
        sound = _invent(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), examples)
        for case in sound:
            judge.house.known.put_into_case(case)
            judge.try_case(case)
        # Any text may stand in a page's address: what is unsound there is searched for long, and in vain.
        unsound = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        for case in [] if judge.is_pages else _invent(unsound, examples):
            judge.try_case(case)
        richest = max(sound, key=lambda case: len(str(case.body)))
        for request in _poisoned(operation, richest, rng, poisons):
            judge.try_request(f"{operation.method.upper()} {operation.path}", request)


def explore_all(house: Any, **amounts: int) -> Judge:
    """Try a service's API and its pages."""
    judge = Judge(house)
    for description, is_pages in ((house.description(), False), (house.pages(), True)):
        judge.turn_to(description, is_pages=is_pages)
        explore(judge, **amounts)
    return judge


def operations_of(description: dict[str, Any]) -> list[str]:
    """Return the methods of all paths."""
    return [method for path in description["paths"].values() for method in path if method in ORDER]


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


async def test_no_request_makes_a_service_fail_or_answer_what_it_does_not_promise(house):
    operations = len(operations_of(house.description()))
    # The largest service would take minutes: of each of its operations fewer requests are tried here.
    judge = await asyncio.to_thread(
        explore_all,
        house,
        boundaries=_between(6, 1_000 // operations, 20),
        examples=_between(2, 200 // operations, 4),
        poisons=_between(8, 1_200 // operations, 25),
    )

    assert not judge.found, judge.tell()
    assert {200, 404, 422} <= judge.statuses.keys()  # it came past the doors


@pytest.mark.slow
async def test_none_of_very_many_requests_makes_a_service_fail(house):
    operations = len(operations_of(house.description()))
    # Some forty thousand requests, whatever the service's size.
    judge = await asyncio.to_thread(
        explore_all,
        house,
        boundaries=_between(40, 10_000 // operations, 2_000),
        examples=_between(8, 2_000 // operations, 100),
        poisons=_between(50, 10_000 // operations, 1_000),
    )

    assert not judge.found, judge.tell()
