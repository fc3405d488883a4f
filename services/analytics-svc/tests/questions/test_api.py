"""Questions by the API: as JSON, as files, and what is refused."""

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pyarrow import parquet

from analytics_svc.facts.model import Fact, Mark
from analytics_svc.facts.usecases import record
from kantis_kit.ids import new_id
from kantis_kit.tx import write

URL = "/v1/reports/questions"
START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
SPAN = {"since": "2026-01-01", "until": "2026-12-31"}
CAMPAIGN = UUID(int=7)


async def test_a_question_is_answered_as_json_and_as_files(house, follow):
    paid = {"placed": Mark(0, START, 900), "paid": Mark(0, START, 900)}
    async with write(house.service.scope, actor="test") as tx:
        await record(tx, [Fact("order", new_id(), CAMPAIGN, currency=one, person_id=new_id(), marks=paid) for one in ("NOK", "NOK", "SEK")])  # fmt: skip
    await follow(house)
    wanted = SPAN | {"measures": ["ordered", "paid_minor"], "by": ["month", "campaign_id"]}

    async with house.client() as client:
        answer = (await client.get(URL, params=wanted)).json()
        table = (await client.get(f"{URL}.csv", params=wanted)).text
        columns = (await client.get(f"{URL}.parquet", params=wanted)).content

    assert [("ordered", "", 3, 3), ("paid_minor", "NOK", 1800, 2), ("paid_minor", "SEK", 900, 1)] == [
        (one["measure"], one["currency"], one["value"], one["people"]) for one in answer["items"]
    ]  # fmt: skip
    assert {("2026-03-01", str(CAMPAIGN), None)} == {
        (one["month"], one["campaign_id"], one["day"]) for one in answer["items"]
    }
    assert 4 == len(table.splitlines())
    rows = parquet.read_table(io.BytesIO(columns)).to_pylist()
    assert answer["items"] == [
        {name: value.isoformat() if name == "month" else value for name, value in row.items()}
        for row in rows
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"measures": ["sent", "sned"]}, "sned: not counted; there are"),
        ({"until": "2025-12-31"}, "from since=2026-01-01 on"),
        ({"until": "2037-01-01"}, "at most ten years"),
        ({"since": "9999-01-01", "until": "9999-01-02"}, "before the year 9999"),
        ({"by": ["person"]}, "campaign_id"),
        ({"currency": "kr"}, "currency"),
        ({"sice": "2026-01-01"}, "sice"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_told_why(open_house, wrong, told):
    rig = await open_house("postgresql")
    async with rig.client() as client:
        answer = await client.get(URL, params={"measures": ["sent"]} | SPAN | wrong)

    assert 422 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert told in answer.text


async def test_days_before_the_calendar_of_computers_are_days(house, follow):
    await follow(house)
    async with house.client() as client:
        answer = await client.get(
            URL, params={"measures": ["sent"], "since": "0001-01-01", "until": "0009-12-31", "by": ["day", "day"]}
        )  # fmt: skip

    assert (200, []) == (answer.status_code, answer.json()["items"])
