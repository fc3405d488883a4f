"""Rows as arrays: any number of rows, one statement."""

from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Text, Uuid, column, select

from kantis_kit.db.sets import column_set, one_of, row_set
from kantis_kit.testing.probe import SPEC

COLUMNS = (column("id", Uuid), column("name", Text), column("weight", BigInteger))
ROWS = [(UUID(int=1), "æøå", 3), (UUID(int=2), None, 2**40), (UUID(int=3), "", None)]


@pytest.fixture
async def rows_of(rig_for):
    rig = await rig_for(SPEC, start=False)

    async def ask(query):
        async with rig.service.database.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    return ask


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS, ROWS * 700])
async def test_rows_come_back_as_they_were_given(rows_of, rows):
    by_row = row_set("given", COLUMNS, iter(rows))
    by_column = column_set(
        "given",
        {one.name: (one.type, [row[index] for row in rows]) for index, one in enumerate(COLUMNS)},
    )

    assert rows == await rows_of(select(by_row))
    assert rows == await rows_of(select(by_column))
    assert 3 == len(select(by_row).compile().params)


async def test_two_sets_are_joined_by_their_columns(rows_of):
    left = row_set("left_side", COLUMNS, ROWS)
    right = row_set("right_side", COLUMNS[:1], [(UUID(int=2),)])

    found = await rows_of(select(left.c.weight).join(right, right.c.id == left.c.id))
    assert [(2**40,)] == found


@pytest.mark.parametrize("wanted", [[], ["æøå"], ["æøå", "nobody"]])
async def test_one_of_many_values_is_one_parameter(rows_of, wanted):
    given = row_set("given", COLUMNS, ROWS)
    query = select(given.c.id).where(given.c.name == one_of(wanted, Text()))

    assert [(row[0],) for row in ROWS if row[1] in wanted] == await rows_of(query)
    assert 4 == len(query.compile().params)
