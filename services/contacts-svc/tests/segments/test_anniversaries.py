"""Days that come back every year: on which days they are, leap years too, and when they are looked at next."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from contacts_svc.main import SPEC
from contacts_svc.segments import compile as sql
from contacts_svc.segments import conditions as c
from kantis_kit.tx import read

CONDITION = TypeAdapter(c.Condition)
DAYS = [date(2020, 2, 29), date(2020, 3, 2), date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 2)]
LOOKED = [
    date(2021, 2, 28), date(2024, 2, 28), date(2024, 2, 29), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2),
    date(2026, 12, 31), date(2027, 1, 1), date(2027, 3, 2),
]  # fmt: skip


def is_day(born, today):
    """Say by plain Python whether a day comes back today."""
    try:
        back = born.replace(year=today.year)
    except ValueError:
        back = date(today.year, 2, 28)
    return today.year > born.year and back == today


@pytest.fixture
async def rig(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        pool = await rig.service.database.pool()
        for number, day in enumerate(DAYS):
            body = {"full_name": f"P{number}", "email": f"p{number}@example.com"}
            made = (await client.post("/v1/contacts", json=body)).json()
            moment = datetime.combine(day, time(23, 30), UTC)
            await pool.execute(
                "UPDATE person SET created_at = $1 WHERE id = $2", moment, UUID(made["id"])
            )
    return rig


async def test_a_day_comes_back_in_its_years_and_is_looked_at_when_it_comes_and_goes(rig):
    node = CONDITION.validate_python({"op": "anniversary", "of": "created"})
    sixth = CONDITION.validate_python({"op": "anniversary", "of": "created", "years": [6]})
    people = sql.person
    async with read(rig.service.scope) as tx:
        for day in LOOKED:
            now = datetime.combine(day, time(9), UTC)
            rows = await tx.execute(
                select(
                    people.c.created_at,
                    sql.clause(node, now=now),
                    sql.clause(sixth, now=now),
                    sql.next_flip(node, now=now),
                    sql.facts_of(node, now=now),
                )
            )
            for created_at, holds, is_sixth, flip, facts in rows:
                born = created_at.astimezone(UTC).date()
                assert is_day(born, day) == holds, (born, day)
                assert is_sixth == (holds and day.year - born.year == 6)
                assert str(born) == facts["day"]
                before = (flip - timedelta(minutes=1)).astimezone(UTC).date()
                assert now < flip
                if born <= day:
                    assert is_day(born, before) != is_day(born, flip.astimezone(UTC).date())


@pytest.mark.parametrize(
    "raw",
    [
        {"op": "anniversary", "of": "field"},
        {"op": "anniversary", "of": "created", "key": "born"},
        {"op": "anniversary", "of": "created", "years": [0]},
        {"op": "anniversary", "of": "death"},
    ],
    ids=["no_key", "a_key_too_many", "no_year", "another_day"],
)
def test_what_is_no_anniversary_is_refused(raw):
    with pytest.raises(ValidationError):
        CONDITION.validate_python(raw)
