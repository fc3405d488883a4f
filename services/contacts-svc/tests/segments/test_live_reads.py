"""Counts and pages of live segments: from what is kept, and yet what a count from scratch would say."""

from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.scores import usecases as scores
from contacts_svc.segments.keeper import Keeper
from contacts_svc.touched import Family, touch
from kantis_kit.ids import new_id
from kantis_kit.tx import write

NO = {"op": "country", "is_in": ["NO"]}
YOUNG = {"op": "created", "within_days": 7}
KEY = {"contacts": {"suppression_key": "a secret"}}
MAY = {"op": "may_contact", "channel": "letter"}
DOORS = {
    "name": "Reservasjonsregisteret",
    "country": "NO",
    "channels": ["letter"],
    "matches": "address",
    "interval_days": 31,
    "mapping": {"name": "Navn", "street": "Adresse", "postal_code": "Postnr"},
}


async def make_person(client, name, country="NO", **more):
    body = {"full_name": name, "email": f"{name}@example.com", "country": country, **more}
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def make_segment(client, condition):
    answer = await client.post("/v1/segments", json={"name": "S", "condition": condition})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def settle(rig, **sizes):
    keeper = Keeper(**sizes)
    for _ in range(1_000):
        async with write(rig.service.scope) as tx:
            if not await keeper.keep(tx):
                return
    raise AssertionError


async def read_all(client, segment, limit=2):
    """Return the count, whether it was kept, and the pages."""
    count = (await client.get(f"/v1/segments/{segment}/count")).json()
    url, params, found = f"/v1/segments/{segment}/members", {"limit": limit}, []
    while True:
        page = (await client.get(url, params=params)).json()
        found += [one["person_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            return count["count"], count["is_kept"], found
        params["cursor"] = page["next_cursor"]


async def test_what_waits_is_judged_anew_so_that_a_change_shows_at_once(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        people = [await make_person(client, f"p{n}", ("NO", "SE")[n % 2]) for n in range(6)]
        segment = await make_segment(client, NO)
        unbuilt = await read_all(client, segment)
        await settle(rig)
        built = await read_all(client, segment)
        for one, country in ((people[0], "SE"), (people[1], "NO")):
            found = await client.get(f"/v1/contacts/{one}")
            await client.patch(
                f"/v1/contacts/{one}",
                json={"country": country},
                headers={"If-Match": found.headers["ETag"]},
            )
        waiting = await read_all(client, segment)
        await settle(rig)
        followed = await read_all(client, segment)

    assert (3, False, people[::2]) == unbuilt
    assert (3, True, people[::2]) == built
    assert (3, True, [people[1], people[2], people[4]]) == waiting == followed


async def test_what_time_has_decided_shows_before_the_keeper_has_come_round(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        await make_person(client, "kari")
        segment = await make_segment(client, YOUNG)
        await settle(rig)
        before = await read_all(client, segment)
    rig.clock.advance(timedelta(days=8))
    async with rig.client() as client:
        after = await read_all(client, segment)

    assert (1, True) == before[:2]
    assert (0, True, []) == after


async def test_when_very_many_wait_all_are_counted_anew(rig_for, monkeypatch):
    monkeypatch.setattr("contacts_svc.segments.queries.keeping.MAX_WAITING", 2)
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        segment = await make_segment(client, NO)
        await settle(rig)
        people = [await make_person(client, f"p{n}") for n in range(3)]
        found = await read_all(client, segment)

    assert (3, False, people) == found


async def test_the_newest_changes_do_not_wait_behind_very_many(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        segment = await make_segment(client, NO)
        await settle(rig)
        last = await make_person(client, "last")
    async with write(rig.service.scope) as tx:
        await touch(tx, [new_id() for _ in range(40)], Family.ORDER)
        await touch(tx, [last], Family.PROFILE)
    pool = await rig.service.database.pool()
    await pool.execute("DELETE FROM touched_person WHERE person_id = $1 AND families <> 1", last)

    async with write(rig.service.scope) as tx:
        await Keeper(batch=5, newest=1).keep(tx)

    kept = await pool.fetch("SELECT person_id FROM segment_member WHERE segment_id = $1", segment)
    left = await pool.fetchval("SELECT count(*) FROM touched_person WHERE followed & 1 = 0")
    assert [last] == [str(row[0]) for row in kept]
    assert 40 - 5 <= left


async def test_a_wash_and_its_age_decide_for_everybody_at_once(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)
    home = {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}
    async with rig.client() as client:
        free, named = [await make_person(client, name, address=home) for name in ("Kari", "Ola")]
        segment = await make_segment(client, MAY)
        await settle(rig)
        unwashed = await kept(rig, segment)
        await client.put("/v1/registers/reservasjon", json=DOORS)
        washed = await client.post(
            "/v1/registers/reservasjon/washes",
            content=b"Navn;Adresse;Postnr\nOla;Storgata 1;0155\n",
            headers={"Content-Type": "text/csv"},
        )
        await settle(rig)
        after = await kept(rig, segment)
        why = (await client.get(f"/v1/segments/{segment}/explain/{named}")).json()
        rig.clock.advance(timedelta(days=40))
        await settle(rig)
        stale = await kept(rig, segment)

    assert 201 == washed.status_code, washed.text
    assert (set(), {free}, set()) == (unwashed, after, stale)
    assert [{"reason": "reserved"}] == [one["facts"] for one in why["clauses"]]


FORM = {
    "key": "autumn",
    "source": "Autumn",
    "purposes": ["newsletter"],
    "titles": {"en": "Autumn news"},
    "consent": {"en": {"version": "1", "text": "Yes, send me news by e-mail."}},
    "default_language": "en",
    "double_opt_in": True,
}


async def test_a_lead_of_somebody_known_and_a_new_score_bring_them_in(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make_person(client, "kari")
        asked = await make_segment(client, {"op": "leads", "forms": ["autumn"], "within_days": 9})
        good = await make_segment(client, {"op": "quality", "at_least": 1})
        form = await client.post("/v1/forms", json=FORM)
        await settle(rig)
        before = [await kept(rig, asked), await kept(rig, good)]
        async with rig.anonymous() as visitor:
            lead = {"full_name": "Kari", "email": "kari@example.com", "language": "en"}
            posted = await visitor.post("/f/autumn", json={**lead, "consent": True})
        async with write(rig.service.scope) as tx:
            await scores.keep_scores(tx)
        await settle(rig)
        after = [await kept(rig, asked), await kept(rig, good)]
    rig.clock.advance(timedelta(days=10))
    await settle(rig)

    assert 201 == form.status_code, form.text
    assert 202 == posted.status_code, posted.text
    assert [set(), set()] == before
    assert [{kari}, {kari}] == after
    assert set() == await kept(rig, asked)


async def kept(rig, segment):
    pool = await rig.service.database.pool()
    rows = await pool.fetch("SELECT person_id FROM segment_member WHERE segment_id = $1", segment)
    return {str(row[0]) for row in rows}


@pytest.mark.parametrize(
    "condition",
    [
        {"op": "visits", "paths": "x"},
        {"op": "quality", "at_least": 101},
        {"op": "may_contact", "channel": "pigeon"},
        {"op": "decided", "asked": MAY, "context": None},
        {"op": "leads", "within_days": 0},
        {"op": "answers", "terms": [""]},
    ],
)
async def test_bad_clauses_are_a_clear_problem(rig_for, condition):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.post("/v1/segments/preview", json={"condition": condition})

    assert 422 == answer.status_code
    assert answer.json()["detail"]
