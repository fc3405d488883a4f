"""Doors that are shut: other methods, no key, other content, bodies that no parser should fall over."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")  # what is refused changes nothing
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
BASE = "http://service.test"
ANY = "00000000-0000-0000-0000-000000000001"
DEEP = 20_000

BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "half a character": b'{"name": "\\ud83d"}',
    "NUL outside of a string": b'\x00{"name": 1}',
    "NUL in a key": b'{"\\u0000": 1}',
    "NaN": b'{"quantity": NaN}',
    "endless": b'{"quantity": 1e999999}',
    "a number of many digits": b'{"quantity": ' + b"9" * 5_000 + b"}",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"of":' * DEEP + b"1" + b"}" * DEEP,
    "deep, without an end": b"[" * DEEP,
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "one name twice": b'{"name": "a", "name": ["b"]}',
}
CONTENT_TYPES = (
    "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
    "application/octet-stream", "application/json; charset=utf-99", "image/png", "nonsense", "",
)  # fmt: skip


def routes(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every path of a description, with something in its gaps, and its operations by method."""
    for path, operations in description["paths"].items():
        names = {part.partition("}")[0]: ANY for part in path.split("{")[1:]}
        yield (
            BASE + path.format(**names),
            {method.upper(): one for method, one in operations.items()},
        )


def methods_of(description: dict[str, Any], url: str) -> set[str]:
    """Return the methods that an address knows by any of the paths that it fits (`/check` fits `/{id}` too)."""
    return {
        method.upper()
        for path, operations in description["paths"].items()
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), url.removeprefix(BASE))
        for method in operations
    }


def is_problem(answer: httpx.Response) -> bool:
    """Say whether a refusal is told in our way."""
    return answer.headers.get("content-type") == "application/problem+json"


async def test_a_method_that_a_path_does_not_know_is_refused(shared_house):
    wrong = []
    for is_pages, description in (
        (False, shared_house.description()),
        (True, shared_house.pages()),
    ):
        for url, _ in routes(description):
            client = shared_house.anonymous if is_pages else shared_house.client
            known = methods_of(description, url)
            for method in METHODS:
                if method in known:
                    continue
                answer = await client.request(method, url)
                allowed = {part.strip() for part in answer.headers.get("allow", "").split(",")}
                if not (answer.status_code == 405 and is_problem(answer) and allowed == known):
                    wrong.append((method, url, answer.status_code, allowed))

    assert [] == wrong


async def test_without_a_key_no_operation_answers(shared_house):
    wrong = []
    for url, operations in routes(shared_house.description()):
        for method, operation in operations.items():
            if str(operation["x-kantis-policy"]).startswith("public: "):
                continue
            for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
                answer = await shared_house.anonymous.request(method, url, json={}, headers=header)
                if answer.status_code != 401 or not is_problem(answer):
                    wrong.append((method, url, header, answer.status_code))

    assert [] == wrong


async def test_a_key_without_the_scope_opens_no_operation(shared_house):
    wrong = []
    async with shared_house.rig.client(scopes=["elsewhere:read", "elsewhere:write"]) as stranger:
        for url, operations in routes(shared_house.description()):
            for method, operation in operations.items():
                if str(operation["x-kantis-policy"]).startswith("public: "):
                    continue
                answer = await stranger.request(method, url, json={})
                if answer.status_code != 403 or not is_problem(answer):
                    wrong.append((method, url, answer.status_code))

    assert [] == wrong


async def test_a_body_that_is_nothing_sound_is_refused_not_fallen_over(shared_house):
    wrong = []
    for is_pages, description in (
        (False, shared_house.description()),
        (True, shared_house.pages()),
    ):
        for url, operations in routes(description):
            for method in operations.keys() & {"POST", "PUT", "PATCH"}:
                client = shared_house.anonymous if is_pages else shared_house.client
                for kind, content in BODIES.items():
                    answer = await client.request(
                        method, url, content=content, headers={"Content-Type": "application/json"}
                    )
                    fell = answer.status_code >= 500
                    mute = answer.status_code >= 400 and not is_pages and not is_problem(answer)
                    if fell or mute:
                        wrong.append((method, url, kind, answer.status_code, answer.text[:200]))

    assert [] == wrong


async def test_content_of_a_kind_that_is_not_understood_is_refused(shared_house):
    wrong = []
    for url, operations in routes(shared_house.description()):
        for method, operation in operations.items():
            understood = operation.get("requestBody", {}).get("content", {})
            if list(understood) != ["application/json"] or not operation["requestBody"].get(
                "required"
            ):
                continue
            for kind in CONTENT_TYPES:
                answer = await shared_house.client.request(
                    method, url, content=b'{"x": 1}', headers={"Content-Type": kind}
                )
                if not 400 <= answer.status_code < 500 or not is_problem(answer):
                    wrong.append((method, url, kind, answer.status_code))

    assert [] == wrong
