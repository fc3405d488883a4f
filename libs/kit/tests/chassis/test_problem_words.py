"""A refused body is told what to write instead, in words about the body and not about the library that read it."""

from typing import Annotated, Literal

import asyncpg
import httpx
import pytest
from fastapi import Body, FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import StringConstraints, TypeAdapter, ValidationError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from kantis_kit.db.database import is_away
from kantis_kit.web.patterns import UNKNOWN
from kantis_kit.web.problems import add_problem_handlers, validation_errors
from kantis_kit.web.schemas import In, Instant


class Cat(In):
    kind: Literal["cat"]


class Dog(In):
    kind: Literal["dog"]


PET: TypeAdapter[Cat | Dog] = TypeAdapter(Annotated[Cat | Dog, Body(discriminator="kind")])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Say which kind this is, in the field 'kind'"),
        ({"kind": "cow"}, "'kind' is one of 'cat', 'dog'"),
        (
            {"kind": "cat", "secret": "1"},
            "There is no such field here; leave it out or see its name in the API's description",
        ),
    ],
)
def test_what_to_write_instead_is_told(body: dict[str, str], message: str):
    with pytest.raises(ValidationError) as refused:
        PET.validate_python(body)

    found = validation_errors(RequestValidationError(refused.value.errors()))

    assert [message] == [one["message"] for one in found]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            r"^[a-z0-9_-]+$",
            "Only small letters a to z, digits, underscores (_) and hyphens (-) are allowed, and at least one",
        ),
        (
            r"^[a-z][a-z0-9_]{0,39}$",
            (
                "Only small letters a to z, digits and underscores (_) are allowed, at most 40 of them;"
                " the first must be among small letters a to z"
            ),
        ),
        (r"^[0-9]{3,5}$", "Only digits are allowed, 3 to 5 of them"),
        (r"^[A-Z0-9]{4}$", "Only capital letters A to Z and digits are allowed, 4 of them"),
        (r"^[0-9A-HJ .]*$", "Only digits, A to H, J, spaces and full stops are allowed"),
        (
            r"^[^/\\\x00-\x1f]{1,120}$",
            "Any characters but /, \\ and control characters, at most 120 of them",
        ),
        (r"^[A-Z]{2}$", "Write the country as two capital letters, such as NO"),
        (r"^(a|b)+$", UNKNOWN),
        (r"^[^a][b-c]$", UNKNOWN),
        (r"[a-z]", UNKNOWN),
    ],
)
def test_what_a_pattern_allows_is_told_in_words(pattern: str, message: str):
    text: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    with pytest.raises(ValidationError) as refused:
        text.validate_python("\n/")

    found = validation_errors(RequestValidationError(refused.value.errors()))

    assert [message] == [one["message"] for one in found]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_cannot_be_stored_is_refused(moment: str):
    with pytest.raises(ValidationError, match="outside the years 1 to 9999"):
        TypeAdapter(Instant).validate_python(moment)


def test_a_connection_that_died_under_a_statement_is_a_database_that_is_away():
    assert is_away(
        asyncpg.InternalClientError("cannot switch to state 11; another operation is in progress")
    )
    assert not is_away(asyncpg.UndefinedTableError("no such table"))


async def test_whoever_finds_no_connection_free_is_told_to_come_again_and_not_that_we_failed():
    app = FastAPI()
    add_problem_handlers(app)

    @app.get("/crowded")
    async def crowded():
        message = "QueuePool limit of size 8 overflow 8 reached, connection timed out"
        raise NoConnectionFree(message)

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kit.test") as client:
        answer = await client.get("/crowded")

    assert (503, "2") == (answer.status_code, answer.headers["retry-after"])
    assert "send it again" in answer.json()["detail"]
    assert "QueuePool" not in answer.text
