"""Scheduled reports: asked for once per due date, whatever happens, and never of what is gone."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from analytics_svc.main import SPEC
from kantis_contracts.analytics import ReportMailRequestedV1
from kantis_contracts.campaign import CampaignLaunchedV1, CellCard
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit import failpoints

URL = "/v1/reports"
CAMPAIGN = UUID(int=1)
KARI = {"email": "kari@lys.example", "name": "Kari", "language": "nb"}
AINO = {"email": "aino@lys.example", "name": "Aino", "language": "fi"}
WEEKLY = {"every": "week", "weekday": 1, "hour": 7, "recipients": [KARI, AINO]}
MONDAY = datetime(2026, 3, 9, 6, tzinfo=UTC)  # seven in Oslo


@pytest.fixture(autouse=True)
def no_failpoints_left():
    yield
    failpoints.disarm_all()


async def scheduled(client, wanted=None, **body):
    saved = await client.post(
        f"{URL}/saved", json={"name": "A", "report": "lists", "days": 30} | body
    )
    made = await client.post(f"{URL}/saved/{saved.json()['id']}/schedules", json=wanted or WEEKLY)
    assert 201 == made.status_code, made.text
    return made.json()


async def at(rig, moment):
    rig.clock.set(moment)
    await rig.drain()
    return rig.items(ReportMailRequestedV1)


async def test_each_due_date_is_mailed_once_to_each_in_their_language(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await scheduled(client)
        assert MONDAY == datetime.fromisoformat(made["next_due_at"])
        before = await at(rig, MONDAY - timedelta(seconds=1))
        first = await at(rig, MONDAY)
        again = await at(rig, MONDAY + timedelta(days=6))
    async with rig.client() as client:
        listed = (await client.get(f"{URL}/schedules")).json()["items"]
        second = await at(rig, MONDAY + timedelta(days=7))

    assert ([], 2, 2, 4) == (before, len(first), len(again), len(second))
    found = {one.to_email: one for one in first}
    assert (Language.NB, Language.FI) == (
        found[KARI["email"]].language,
        found[AINO["email"]].language,
    )
    assert {("report_ready", "A", "2026-02-08", "2026-03-09")} == {
        (one.kind, one.report_name, str(one.since), str(one.until)) for one in first
    }
    assert 4 == len({one.mail_id for one in second})
    assert MONDAY + timedelta(days=7) == datetime.fromisoformat(listed[0]["next_due_at"])
    assert MONDAY == datetime.fromisoformat(listed[0]["last_due_at"])


async def test_a_crash_before_the_commit_claims_nothing_and_mails_nothing_twice(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await scheduled(client)
    died = asyncio.Event()
    failpoints.arm("timer.before_commit", "raise", nth=1)
    failpoints.on("timer.before_commit", died.set)
    rig.clock.set(MONDAY)
    await died.wait()
    mails = await at(rig, MONDAY + timedelta(minutes=5))
    more = await at(rig, MONDAY + timedelta(days=1))

    assert (2, 2) == (len(mails), len(more))


async def test_a_month_of_standstill_is_made_good_by_one_mail(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await scheduled(
            client, {"every": "day", "hour": 6, "time_zone": "UTC", "recipients": [KARI]}
        )
    mails = await at(rig, MONDAY + timedelta(days=30, hours=1))

    assert ["2026-03-03"] == [str(one.until) for one in mails]
    assert 2 == len(await at(rig, MONDAY + timedelta(days=31)))


async def test_nothing_is_mailed_while_it_is_paused_and_what_was_due_is_not_made_good(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await scheduled(client)
        one = f"{URL}/schedules/{made['id']}"
        paused = (await client.post(f"{one}/pause")).json()
    silent = await at(rig, MONDAY + timedelta(days=8))
    async with rig.client() as client:
        resumed = (await client.post(f"{one}/resume")).json()
        early = await at(rig, MONDAY + timedelta(days=13))
        mails = await at(rig, MONDAY + timedelta(days=14))

    assert (True, None, []) == (paused["is_paused"], paused["next_due_at"], silent)
    assert MONDAY + timedelta(days=14) == datetime.fromisoformat(resumed["next_due_at"])
    assert ([], 2) == (early, len(mails))


async def test_the_link_opens_the_report_without_a_key_for_a_week(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await scheduled(client)
        mails = await at(rig, MONDAY)
    rig.clock.advance(timedelta(days=1))
    async with rig.client() as client:
        itself = await client.get(
            f"{URL}/lists.csv", params={"since": "2026-02-08", "until": "2026-03-09"}
        )
        async with rig.anonymous() as anybody:
            opened = await anybody.get(mails[0].path)
            forged = await anybody.get(mails[0].path[:-3] + "abc")
            rig.clock.advance(timedelta(days=7))
            over = await anybody.get(mails[0].path)
    rig.clock.set(MONDAY)
    async with rig.client() as client:
        await client.delete(f"{URL}/saved/{made['saved_id']}")
        async with rig.anonymous() as anybody:
            gone = await anybody.get(mails[0].path)
        left = (await client.get(f"{URL}/schedules")).json()["items"]

    assert (200, itself.text) == (opened.status_code, opened.text)
    assert "attachment" in opened.headers["content-disposition"]
    assert [404] * 3 == [one.status_code for one in (forged, over, gone)]
    assert [] == left


async def test_a_report_whose_campaign_is_gone_says_so_once_and_pauses(rig_for):
    rig = await rig_for(SPEC)
    cell = CellCard(
        cell_id=UUID(int=2), key_code="K", name="A", share_pct=100, template_id=UUID(int=4)
    )
    await rig.publish(
        CampaignLaunchedV1(
            campaign_id=CAMPAIGN, campaign_name="Vår", launch_id=UUID(int=3), purpose=Purpose.OFFERS,
            channel=Channel.EMAIL, currency="NOK", launched_at=rig.clock.now(), items=(cell,),
        )
    )  # fmt: skip
    await rig.drain()
    pool = await rig.service.database.pool()
    async with rig.client() as client:
        made = await scheduled(client, report="campaign", campaign_id=str(CAMPAIGN))
        await pool.execute("DELETE FROM campaign_card")
        mails = await at(rig, MONDAY)
        later = await at(rig, MONDAY + timedelta(days=14))
    async with rig.client() as client:
        (shown,) = (
            await client.get(f"{URL}/schedules", params={"saved_id": made["saved_id"]})
        ).json()["items"]
        resumed = await client.post(f"{URL}/schedules/{made['id']}/resume")

    assert [("report_gone", ""), ("report_gone", "")] == [(one.kind, one.path) for one in mails]
    assert 2 == len(later)
    assert (True, None) == (shown["is_paused"], shown["next_due_at"])
    assert "is gone" in shown["problem"]
    assert 404 == resumed.status_code


async def test_what_is_deleted_is_not_mailed(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await scheduled(client)
        answers = [await client.delete(f"{URL}/schedules/{made['id']}") for _ in range(2)]

    assert [204, 404] == [one.status_code for one in answers]
    assert [] == await at(rig, MONDAY)


WRONG = {
    "a year": ({"every": "year"}, "every"),
    "a week without its day": ({"weekday": None}, "say it, every=week needs it"),
    "a week with a day of the month": ({"month_day": 3}, "leave it out, it is for every=month"),
    "a month without its day": ({"every": "month", "weekday": None}, "say it, every=month needs it"),
    "the 31st": ({"every": "month", "weekday": None, "month_day": 31}, "month_day"),
    "the eighth day": ({"weekday": 8}, "weekday"),
    "hour 24": ({"hour": 24}, "hour"),
    "no such place": ({"time_zone": "Europe/Atlantis"}, "such as Europe/Oslo"),
    "a place outside": ({"time_zone": "../etc/passwd"}, "such as Europe/Oslo"),
    "nobody": ({"recipients": []}, "recipients"),
    "everybody": ({"recipients": [{"email": f"a{n}@lys.example"} for n in range(21)]}, "recipients"),
    "no address": ({"recipients": [{"email": "kari"}]}, "email"),
    "two lines": ({"recipients": [{"email": "kari@lys.example\r\nBcc: x@y.example"}]}, "email"),
    "the same twice": ({"recipients": [KARI, KARI | {"email": "KARI@lys.example"}]}, "name each once"),
    "a language that we do not speak": ({"recipients": [KARI | {"language": "la"}]}, "language"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_bad_schedules_are_refused_with_the_way_out(rig_for, case):
    rig = await rig_for(SPEC)
    change, said = WRONG[case]
    async with rig.client() as client:
        saved = (await client.post(f"{URL}/saved", json={"name": "A", "report": "lists"})).json()
        answer = await client.post(f"{URL}/saved/{saved['id']}/schedules", json=WEEKLY | change)

    assert 422 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert said in answer.text


async def test_a_report_that_there_is_not_is_not_scheduled(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        answer = await client.post(f"{URL}/saved/{CAMPAIGN}/schedules", json=WEEKLY)

    assert (404, True) == (answer.status_code, "GET /v1/reports/saved" in answer.json()["detail"])


DATES = {
    "summer begins": ("2026-03-28T12:00", {"every": "day", "hour": 2}, "2026-03-29T01:00"),
    "winter begins": ("2026-10-24T12:00", {"every": "day", "hour": 2}, "2026-10-25T00:00"),
    "the 28th": ("2026-03-02T12:00", {"every": "month", "month_day": 28, "hour": 7}, "2026-03-28T06:00"),
    "the day itself, too late": ("2026-03-02T12:00", {"every": "month", "month_day": 2, "hour": 7}, "2026-04-02T05:00"),
}  # fmt: skip


@pytest.mark.parametrize("case", DATES)
async def test_due_dates_follow_the_clock_of_the_place(rig_for, case):
    rig = await rig_for(SPEC)
    now, wanted, due = DATES[case]
    rig.clock.set(datetime.fromisoformat(f"{now}+00:00"))
    async with rig.client() as client:
        made = await scheduled(client, wanted | {"recipients": [KARI]})

    assert datetime.fromisoformat(f"{due}+00:00") == datetime.fromisoformat(made["next_due_at"])
