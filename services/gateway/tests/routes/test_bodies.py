"""Bodies are measured before any parser sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routes.body import FieldsShape, JsonShape, PartsShape, ShallowShape, shape_of
from gateway.routes.errors import BadRequest

JSON = {"Content-Type": "application/json"}


async def chunks(count: int, size: int):
    for _ in range(count):
        yield b"x" * size


async def test_a_body_that_says_it_is_too_large_is_refused_unread(world):
    key = await world.key()

    async with world.client(key) as client:
        answer = await client.post("/v1/contacts", content=b"x" * (1024 * 1024 + 1), headers=JSON)

    assert 413 == answer.status_code
    assert 1024 * 1024 == answer.json()["limit_bytes"]
    assert 0 == world.switches["contacts"].calls


async def test_a_body_that_grows_too_large_is_refused_where_it_does(world):
    key = await world.key()

    async with world.client(key) as client:
        answer = await client.post("/v1/contacts", content=chunks(64, 64 * 1024), headers=JSON)
        after = await client.get("/v1/contacts")

    assert 413 == answer.status_code
    assert "problem+json" in answer.headers["content-type"]
    assert 200 == after.status_code
    assert [] == after.json()


async def test_too_large_bodies_do_not_open_the_breaker(world):
    key = await world.key()

    async with world.client(key) as client:
        for _ in range(8):
            await client.post("/v1/contacts", content=chunks(32, 64 * 1024), headers=JSON)
        answer = await client.get("/v1/contacts")

    assert 200 == answer.status_code


async def test_a_public_page_takes_little(world):
    async with world.client() as client:
        answer = await client.post("/f/newsletter", content=chunks(3, 32 * 1024))

    assert 413 == answer.status_code
    assert [] == await world.names()
    assert [] == await world.spooled()


async def test_json_that_is_too_deep_is_refused_before_it_is_parsed(world):
    key = await world.key()

    async with world.client(key) as client:
        answer = await client.post("/v1/contacts", content=b"[" * 100_000, headers=JSON)

    assert 400 == answer.status_code
    assert "levels" in answer.json()["detail"]


async def test_a_form_with_a_million_fields_is_refused(world):
    async with world.client() as client:
        answer = await client.post(
            "/f/newsletter",
            content=b"a;" * 30_000,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    assert 400 == answer.status_code


async def test_a_multipart_body_without_a_boundary_is_refused(world):
    async with world.client() as client:
        answer = await client.post(
            "/f/newsletter", content=b"x", headers={"Content-Type": "multipart/form-data"}
        )

    assert 400 == answer.status_code


def _depth(value) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(v) for v in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(v) for v in value), default=0)
    return 0


@given(
    st.recursive(
        st.text('ab"\\{}[]', max_size=6) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text('a"\\{[', max_size=3), inner, max_size=3)
        ),
        max_leaves=30,
    ),
    st.integers(1, 7),
)
def test_depth_is_counted_as_a_parser_would_however_the_body_is_cut(value, size):
    import json

    content = json.dumps(value).encode()
    shape = JsonShape()

    deepest = 0
    for start in range(0, len(content), size):
        for byte in range(start, min(start + size, len(content))):
            shape.feed(content[byte : byte + 1])
            deepest = max(deepest, shape._depth)

    assert _depth(value) == deepest
    whole = JsonShape()
    whole.feed(content)
    assert 0 == whole._depth == shape._depth


@pytest.mark.parametrize("size", [1, 7, 64, 1_000_000])
@pytest.mark.parametrize("deep", [64, 65])
def test_a_body_is_refused_at_the_same_depth_whenever_counting_begins(deep, size):
    content = (
        b'{"a": "' + b" " * 70_000 + b'", "b": ' + b"[" * (deep - 1) + b"]" * (deep - 1) + b"}"
    )
    refused = []

    for body in (content, content.replace(b" ", b"")):
        for shape in (JsonShape(), ShallowShape()):
            try:
                for start in range(0, len(body), size):
                    shape.feed(body[start : start + size])
            except BadRequest:
                refused.append(type(shape))

    assert ([JsonShape, ShallowShape] * 2 if deep == 65 else []) == refused


def test_strings_may_hold_as_many_brackets_as_they_like():
    shape = JsonShape()

    shape.feed(b'{"a": "' + b"[" * 10_000 + b'\\"' + b"{" * 10_000 + b'"}')

    assert 0 == shape._depth


def test_parts_are_counted_across_chunks():
    body = b"".join(b"--xyz\r\n\r\na\r\n" for _ in range(102))
    shape = PartsShape(b"xyz")

    def read() -> None:
        for start in range(0, len(body), 3):
            shape.feed(body[start : start + 3])

    with pytest.raises(BadRequest):
        read()


def test_a_hundred_parts_and_a_thousand_fields_pass():
    PartsShape(b"xyz").feed(b"".join(b"--xyz\r\n\r\na\r\n" for _ in range(100)) + b"--xyz--")
    FieldsShape().feed(b"&".join(b"a=1" for _ in range(1_000)))
    with pytest.raises(BadRequest):
        FieldsShape().feed(b"&".join(b"a=1" for _ in range(1_001)))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("application/json; charset=utf-8", JsonShape),
        ("Application/Problem+JSON", JsonShape),
        ("application/x-www-form-urlencoded", FieldsShape),
        ('multipart/form-data; boundary="x"', PartsShape),
        ("text/csv", type(None)),
        ("", type(None)),
    ],
)
def test_the_kind_of_body_tells_what_is_counted(kind, expected):
    assert isinstance(shape_of(kind), expected)
