"""The next moment at which a message may begin, and the hours that the company sets."""

from datetime import UTC, date, datetime

import pytest

from messaging_svc.hours.conditions import HOURS
from messaging_svc.hours.defaults import easter, holidays
from messaging_svc.main import SPEC

ASK = "SELECT next_opening($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)"
OPENS = [480, 480, 480, 480, 480, 540, None]
CLOSES = [1260, 1260, 1260, 1260, 1260, 1080, None]


def _at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


CASES = [
    # Open: the moment itself. In Oslo it is an hour later than in UTC, in summer two.
    ("2026-03-02 09:00", "Europe/Oslo", "NO", True, (None, None, "[]"), "2026-03-02 09:00"),
    ("2026-03-02 20:00", "Europe/Oslo", "NO", True, (None, None, "[]"), "2026-03-03 07:00"),
    ("2026-07-06 05:59", "Europe/Oslo", "NO", True, (None, None, "[]"), "2026-07-06 06:00"),
    ("2026-03-02 19:30", "Europe/Helsinki", "FI", True, (None, None, "[]"), "2026-03-03 06:00"),
    ("2026-03-02 19:30", "Atlantic/Reykjavik", "IS", True, (None, None, "[]"), "2026-03-02 19:30"),
    # From Saturday evening to Monday; over Easter, on which Norway rests from Thursday to Monday.
    ("2026-03-07 17:30", "Europe/Oslo", "NO", True, (None, None, "[]"), "2026-03-09 07:00"),
    ("2026-04-01 20:00", "Europe/Oslo", "NO", True, (None, None, "[]"), "2026-04-04 07:00"),
    ("2026-04-01 20:00", "Europe/Stockholm", "SE", True, (None, None, "[]"), "2026-04-02 06:00"),
    # Wishes alone, and both together: what is common to them.
    ("2026-03-02 09:00", "Europe/Oslo", "NO", False, (18, 20, "[]"), "2026-03-02 17:00"),
    ("2026-03-02 09:00", "Europe/Oslo", "NO", False, (None, None, "[7]"), "2026-03-07 23:00"),
    ("2026-03-02 09:00", "Europe/Oslo", "NO", True, (20, 24, "[2]"), "2026-03-03 19:00"),
    ("2026-03-02 09:00", "Europe/Oslo", "NO", True, (22, 24, "[]"), None),
    ("2026-03-02 09:00", "Europe/Oslo", "NO", True, (None, None, "[7]"), None),
    # The clock is put forward over the wished hour, and back through it.
    ("2026-03-28 22:00", "Europe/Oslo", "NO", False, (2, 3, "[7]"), "2026-03-29 01:00"),
    ("2026-10-24 22:00", "Europe/Oslo", "NO", False, (2, 3, "[7]"), "2026-10-25 01:00"),
    ("2026-10-25 00:30", "Europe/Oslo", "NO", False, (2, 3, "[7]"), "2026-10-25 00:30"),
]  # fmt: skip


async def test_the_next_opening_is_common_to_hours_and_wishes_in_the_persons_zone(rig):
    pool = await rig.service.database.pool()
    wrong = []
    for now, zone, country, hours, wish, opens_at in CASES:
        week = (OPENS, CLOSES, True) if hours else (None, None, False)
        found = await pool.fetchval(ASK, _at(now), zone, country, *week, *wish)
        if found != (_at(opens_at) if opens_at else None):
            wrong.append((now, zone, wish, opens_at, found))

    assert [] == wrong


def test_holidays_are_those_of_the_calendar():
    days = set(holidays())

    assert [date(2026, 4, 5), date(2027, 3, 28), date(2038, 4, 25)] == [
        easter(year) for year in (2026, 2027, 2038)
    ]
    assert {("NO", date(2026, 5, 17)), ("SE", date(2026, 6, 20)), ("FI", date(2026, 12, 6))} < days
    assert ("FI", date(2026, 10, 31)) in days
    assert ("DK", date(2026, 5, 1)) not in days


async def test_the_company_sets_hours_of_its_own_and_goes_back_to_the_defaults(rig):
    day = {"opens": "07:30", "closes": "22:00"}
    week = {"days": [day] * 6 + [None], "rests_on_holidays": False}
    async with rig.client() as client:
        path = "/v1/sending-rules/hours"
        before = (await client.get(path)).json()
        mine = (await client.put(f"{path}/sms", params={"country": "DK"}, json=week)).json()
        problems = [
            await client.put(f"{path}/sms", json=week | {"days": [day] * 6}),
            await client.put(
                f"{path}/sms", json=week | {"days": [{"opens": "09:00", "closes": "08:00"}] * 7}
            ),
            await client.put(f"{path}/pigeon", json=week),
            await client.put(f"{path}/sms", params={"country": "dk"}, json=week),
        ]
        dropped = await client.delete(f"{path}/sms", params={"country": "DK"})
        again = await client.delete(f"{path}/sms", params={"country": "DK"})
        after = (await client.get(path)).json()

    assert {("phone", "NO"), ("phone", ""), ("sms", "")} == {
        (one["channel"], one["country"]) for one in before
    }
    (own,) = [one for one in mine if one["is_own"]]
    assert ("DK", [day] * 6 + [None], False) == (
        own["country"], own["days"], own["rests_on_holidays"],
    )  # fmt: skip
    assert [422] * 4 == [one.status_code for one in problems]
    assert (204, 404, before) == (dropped.status_code, again.status_code, after)


async def test_a_default_of_a_country_holds_before_that_of_everybody_and_a_later_one_from_its_day_on(
    rig,
):
    pool = await rig.service.database.pool()
    insert = "INSERT INTO sending_hours VALUES ($1, 'sms', $2, $3, $4, $5, true, 'x', now())"
    for country, is_own, valid_from, opens in (
        ("NO", False, date(2027, 1, 1), 600), ("NO", False, date(2026, 1, 1), 500), ("", True, date(2026, 1, 1), 400),
    ):  # fmt: skip
        await pool.execute(insert, country, is_own, valid_from, [opens] * 7, [1440] * 7)

    async def holds(country, day):
        sql = HOURS.replace("LEFT JOIN LATERAL (", "SELECT o.opens[1] FROM (").replace(
            ") o ON true", ") o"
        )
        for name, value in {
            "d.is_marketing": "true", "c.message_class": "'marketing'", "d.channel": "'sms'", "p.country": f"'{country}'", ":now": f"'{day}'",
        }.items():  # fmt: skip
            sql = sql.replace(name, value)
        return await pool.fetchval(sql)

    assert 400 == await holds("NO", "2026-06-01")
    await pool.execute("DELETE FROM sending_hours WHERE is_own")
    assert (500, 600) == (await holds("NO", "2026-06-01"), await holds("NO", "2027-06-01"))
    assert 480 == await holds("SE", "2027-06-01")


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC, start=False)
