"""A refused body is told what to write instead, in words about the body and not about the library that read it."""

from typing import Annotated, Literal

import asyncpg
import pytest
from fastapi import Body
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from kantis_kit.db.database import is_away
from kantis_kit.web.problems import validation_errors
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


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_cannot_be_stored_is_refused(moment: str):
    with pytest.raises(ValidationError, match="outside the years 1 to 9999"):
        TypeAdapter(Instant).validate_python(moment)


def test_a_connection_that_died_under_a_statement_is_a_database_that_is_away():
    assert is_away(
        asyncpg.InternalClientError("cannot switch to state 11; another operation is in progress")
    )
    assert not is_away(asyncpg.UndefinedTableError("no such table"))
