"""Duplicates: which people are compared, how likely they are one, and the queue of those to decide on."""

import asyncio
import hashlib
from collections import Counter
from uuid import UUID

import pytest

from contacts_svc.main import SPEC
from contacts_svc.quality import finder, jobs, keeping, merging, queries
from contacts_svc.quality.rules import (
    LIKELY,
    VERSION,
    Looks,
    folded,
    keys_of,
    mailbox,
    score,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write


def looks(name="", code="", street="", *, emails=(), phones=()):
    return Looks(new_id(), name, "", code, street, emails, phones)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Åse Kjær", "AASE KJAER"),
        ("Bjørn Sørensen", "Bjoern Soerensen"),
        ("Björn Sörensen", "Bjorn Sorensen"),
        ("Þóra Guðmundsdóttir", "Thora Gudmundsdottir"),
        ("Åse".encode().decode(), "A\u030ase"),
    ],
)
def test_spellings_of_one_nordic_name_are_one(one, other):
    assert folded(one) == folded(other)


def test_a_mailbox_that_everybody_has_says_nothing_about_a_person():
    assert ("karinordmann", "", "", "") == (
        mailbox("kari.nordmann+news@example.com"),
        mailbox("post@example.com"),
        mailbox("kontakt@example.com"),
        mailbox("kn@example.com"),
    )


SAME = [
    (
        looks("Kari Nordmann", "0155", "Storgata 1"),
        looks("NORDMANN, KARI", "0155", "Storgaten 1"),
        {"same_name", "same_postal_code", "same_street"},
    ),
    (
        looks("Åse Kjær", "8000", "Havnegade 2"),
        looks("Aase Kjaer", "8000", "Havnegade 2"),
        {"same_name", "same_postal_code", "same_street"},
    ),
    (
        looks("Kari Nordmann", emails=["kari.nordmann@example.com"]),
        looks("Kari Nordman", emails=["karinordmann@work.example.com"]),
        {"similar_name", "same_mailbox_name"},
    ),
    (
        looks("Kari Nordmann", phones=["+4741234567"]),
        looks("Kari Anne Nordmann", phones=["+4741234567"]),
        {"name_is_part", "same_phone"},
    ),
]


@pytest.mark.parametrize(("one", "other", "why"), SAME)
def test_people_who_are_the_same_share_a_key_and_score_high_whichever_stands_first(one, other, why):
    points, reasons = score(one, other)

    assert keys_of(one) & keys_of(other)
    assert LIKELY <= points <= 100
    assert why == set(reasons)
    assert (points, reasons) == score(other, one)


TWO = [
    # a family in one house with one phone
    (
        looks("Kari Nordmann", "0155", "Storgata 1", phones=["+4741234567"]),
        looks("Ola Nordmann", "0155", "Storgata 1", phones=["+4741234567"]),
    ),
    # a common name, in two towns
    (looks("Anders Hansen", "0155"), looks("Anders Hansen", "8000")),
    # neighbours
    (looks("Kari Nordmann", "0155", "Storgata 1"), looks("Per Berg", "0155", "Storgata 1")),
    # namesakes in one street
    (
        looks("Kari Nordmann", "0155", "Storgata 1"),
        looks("Kari Nordmann", "0155", "Storgata 11"),
    ),
    # nothing is known of either
    (looks(), looks()),
]


@pytest.mark.parametrize(("one", "other"), TWO)
def test_a_family_namesakes_and_neighbours_are_not_asked_about(one, other):
    assert score(one, other)[0] < LIKELY


STREETS = ("Storgata 1", "Storgata 1B", "Storgata 2", "Storgata", "Havnegade 2, 3. tv")


def test_whoever_changes_what_gives_points_raises_the_version_of_the_rules():
    everybody = [one for pair in (*SAME, *TWO) for one in pair[:2]]
    everybody += [lives(street) for street in STREETS]
    table = [[score(one, other) for other in everybody] for one in everybody]

    assert (1, "3de26c4bde73") == (VERSION, hashlib.sha256(repr(table).encode()).hexdigest()[:12])


def lives(street):
    return looks("Kari Nordmann", "0155", street)


@pytest.mark.parametrize(
    ("one", "other", "points", "why"),
    [
        ("Storgata 1", "Storgaten 1", 80, "same_street"),
        ("Storgata 1B", "STORGATA 01 b", 80, "same_street"),
        ("Storgata 1", "Storgata 1 B", 80, "same_street"),
        ("Havnegade 2, 3. tv", "Havnegade 2, 3 tv.", 80, "same_street"),
        ("7. juni gate 5", "7 juni gate 5", 80, "same_street"),
        ("Storgata", "Storgata 1", 70, "same_street"),
        ("Storgata 1A", "Storgata 1B", 60, "different_entrance"),
        ("Storgata 1", "Storgata 2", 50, "different_house"),
        ("Storgata 1", "Storgata 12", 50, "different_house"),
        ("7. juni gate 5", "7. juni gate 6", 50, "different_house"),
        ("Postboks 17", "Postboks 71", 50, "different_house"),
        ("Storgata 1", "Havnegade 2", 60, ""),
    ],
)
def test_house_numbers_count(one, other, points, why):
    told = {"same_name", "same_postal_code", *([why] if why else [])}

    found, reasons = score(lives(one), lives(other))

    assert (points, told) == (found, set(reasons))
    assert (found, reasons) == score(lives(other), lives(one))


async def make(client, name, email, phone="", **more):
    body = {"full_name": name, "email": email, **more}
    answer = await client.post("/v1/contacts", json=body | ({"phone": phone} if phone else {}))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def settle(rig, **more):
    for _ in range(100):
        async with write(rig.service.scope, actor="duplicates") as tx:
            took = await finder.take(tx)
        async with write(rig.service.scope, actor="duplicates") as tx:
            if not await finder.compare(tx, **more) and not took:
                return
    raise AssertionError


OSLO = {"address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}}


async def test_the_queue_tells_who_may_be_one_why_and_how_likely_and_forgets_what_was_mended(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make(client, "Kari Nordmann", "kari@example.com", **OSLO)
        again = await make(client, "Kari Nordman", "kn@work.example.com", **OSLO)
        mail = await make(client, "Kari Nordmann", "kari.nordmann@example.com")
        other = await make(client, "Kari Nordmann", "karinordmann@work.example.com")
        await settle(rig)

        first = (await client.get("/v1/duplicates?limit=1")).json()
        rest = (await client.get(f"/v1/duplicates?cursor={first['next_cursor']}")).json()
        strict = (await client.get("/v1/duplicates?min_score=75")).json()["items"]
        strange = await client.get("/v1/duplicates?cursor=xyz")
        held = await client.get(f"/v1/contacts/{other}")
        mended = await client.patch(
            f"/v1/contacts/{other}",
            json={"full_name": "Per Berg"},
            headers={"If-Match": held.headers["etag"]},
        )
        await settle(rig)
        left = (await client.get("/v1/duplicates")).json()["items"]

    pairs = [*first["items"], *rest["items"]]
    assert [{mail, other}, {kari, again}] == [{one["id"] for one in p["contacts"]} for p in pairs]
    assert [75, 70] == [pair["score"] for pair in pairs]
    assert ["similar_name", "same_postal_code", "same_street"] == pairs[1]["reasons"]
    assert [75] == [pair["score"] for pair in strict]
    assert (422, 200) == (strange.status_code, mended.status_code)
    assert [{kari, again}] == [{one["id"] for one in p["contacts"]} for p in left]


async def test_what_was_dismissed_is_not_asked_again(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make(client, "Kari Nordmann", "kari@example.com", **OSLO)
        await make(client, "Kari Nordmann", "kn@work.example.com", **OSLO)
        await settle(rig)
        (pair,) = (await client.get("/v1/duplicates")).json()["items"]

        said = await client.post(f"/v1/duplicates/{pair['id']}/dismiss")
        twice = await client.post(f"/v1/duplicates/{pair['id']}/dismiss")
        unknown = await client.post(f"/v1/duplicates/{new_id()}/dismiss")
        held = await client.get(f"/v1/contacts/{kari}")
        await client.patch(
            f"/v1/contacts/{kari}", json={"note": "x"}, headers={"If-Match": held.headers["etag"]}
        )
        await settle(rig)
        left = (await client.get("/v1/duplicates")).json()["items"]
        dismissed = (await client.get("/v1/duplicates?state=dismissed")).json()["items"]

    assert (200, 200, 404) == (said.status_code, twice.status_code, unknown.status_code)
    assert "dismissed" == said.json()["state"]
    assert [] == left
    assert [pair["id"]] == [one["id"] for one in dismissed]


async def merge(client, known, merged):
    return await client.post("/v1/merges", json={"known_id": known, "merged_id": merged})


async def keys_and_pairs(rig, person):
    pool = await rig.service.database.pool()
    return await pool.fetchval(
        """SELECT (SELECT count(*) FROM duplicate_key WHERE person_id = $1)
            + (SELECT count(*) FROM duplicate_pair WHERE state = 'open' AND $1 IN (one_id, other_id))""",
        person,
    )


async def test_a_merge_does_not_wait_for_a_comparison_which_leaves_out_who_is_gone(
    rig_for, monkeypatch
):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari, again, third = [
            await make(client, "Kari Nordmann", f"kari{number}@example.com", **OSLO)
            for number in range(3)
        ]
        await settle(rig)
        pool = await rig.service.database.pool()
        await pool.execute("INSERT INTO duplicate_due SELECT id FROM person")
        told, hold = [], finder.keeping.hold

        async def merging_meanwhile(tx):
            monkeypatch.setattr(keeping, "hold", hold)
            told.append(await merge(client, kari, again))
            await hold(tx)

        monkeypatch.setattr(keeping, "hold", merging_meanwhile)
        async with write(rig.service.scope, actor="duplicates") as tx:
            await finder.compare(tx)
        still_due = await pool.fetch("SELECT person_id FROM duplicate_due")
        await settle(rig)
        left = (await client.get("/v1/duplicates")).json()["items"]

    assert [201] == [answer.status_code for answer in told]
    assert [kari] == [str(row["person_id"]) for row in still_due]  # the merge has changed them
    assert 0 == await keys_and_pairs(rig, again)
    assert [{kari, third}] == [{one["id"] for one in pair["contacts"]} for pair in left]


async def test_a_comparison_waits_for_a_merge_and_leaves_out_who_is_gone(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari, again = [
            await make(client, "Kari Nordmann", f"kari{number}@example.com", **OSLO)
            for number in range(2)
        ]
        await settle(rig)
        pool = await rig.service.database.pool()
        await pool.execute("INSERT INTO duplicate_due SELECT id FROM person")

        async def compare():
            async with write(rig.service.scope, actor="duplicates") as tx:
                return await finder.compare(tx)

        async def waits():
            return await pool.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )

        async with (
            asyncio.TaskGroup() as tasks,
            write(rig.service.scope, actor="desk") as tx,
        ):
            await merging.merge(tx, UUID(kari), UUID(again))
            compared = tasks.create_task(compare())
            await eventually(waits, message="nobody waits for the merge")
        left = (await client.get("/v1/duplicates")).json()["items"]

    assert compared.result()
    assert [] == left
    assert 0 == await keys_and_pairs(rig, again)


async def test_who_changes_while_being_compared_is_compared_once_more(rig_for, monkeypatch):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        await make(client, "Kari Nordmann", "kari@example.com", **OSLO)
        other = await make(client, "Per Berg", "per@example.com", **OSLO)
        hold = keeping.hold

        async def changing_meanwhile(tx):
            monkeypatch.setattr(keeping, "hold", hold)
            held = await client.get(f"/v1/contacts/{other}")
            await client.patch(
                f"/v1/contacts/{other}",
                json={"full_name": "Kari Nordmann"},
                headers={"If-Match": held.headers["etag"]},
            )
            async with write(rig.service.scope) as taking:
                await finder.take(taking)
            await hold(tx)

        async with write(rig.service.scope) as tx:
            await finder.take(tx)
        monkeypatch.setattr(keeping, "hold", changing_meanwhile)
        async with write(rig.service.scope, actor="duplicates") as tx:
            await finder.compare(tx)
        before = (await client.get("/v1/duplicates")).json()["items"]
        await settle(rig)
        after = (await client.get("/v1/duplicates")).json()["items"]

    assert (0, 1) == (len(before), len(after))


async def test_pairs_of_older_rules_are_compared_anew_and_decisions_stay(rig_for, monkeypatch):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        for number in range(4):
            await make(client, "Kari Nordmann", f"kari{number}@example.com", **OSLO)
        await settle(rig)
        first, *_ = (await client.get("/v1/duplicates")).json()["items"]
        await client.post(f"/v1/duplicates/{first['id']}/dismiss")
        points = {one["score"] for one in (await client.get("/v1/duplicates")).json()["items"]}

        def milder(one, other):
            found, reasons = score(one, other)
            return found - 5, reasons

        monkeypatch.setattr(finder, "score", milder)
        monkeypatch.setattr(finder, "SLICE", 2)
        same = await renewed(rig)
        for place in (finder, keeping):
            monkeypatch.setattr(place, "VERSION", VERSION + 1)
        turns = await renewed(rig)
        left = (await client.get("/v1/duplicates?min_score=0")).json()["items"]
        dismissed = (await client.get("/v1/duplicates?state=dismissed")).json()["items"]

    assert (0, True) == (same, 1 < turns < 6)
    assert {80} == points
    assert [75] * 5 == [one["score"] for one in left]
    assert [80] == [one["score"] for one in dismissed]


async def renewed(rig):
    """Look for pairs of older rules as long as there are any; return how often there were."""
    for turn in range(10):
        async with write(rig.service.scope) as tx:
            if not await finder.renew(tx):
                return turn
        await settle(rig)
    raise AssertionError


async def test_the_search_goes_in_bounded_slices_and_finds_the_same(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        for number in range(12):
            await make(client, "Kari Nordmann", f"kari{number}@example.com", **OSLO)
        await settle(rig, slice_size=3)
        found = (await client.get("/v1/duplicates?limit=200")).json()["items"]

    assert 12 * 11 // 2 == len(found)


async def test_an_erased_person_leaves_neither_keys_nor_pairs(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make(client, "Kari Nordmann", "kari@example.com", **OSLO)
        await make(client, "Kari Nordmann", "kn@work.example.com", **OSLO)
        await settle(rig)

        await client.delete(f"/v1/contacts/{kari}")
        await settle(rig)
        left = (await client.get("/v1/duplicates")).json()["items"]

    pool = await rig.service.database.pool()
    assert [] == left
    assert 0 == await pool.fetchval("SELECT count(*) FROM duplicate_key WHERE person_id = $1", kari)


async def test_a_key_that_too_many_share_is_told_of_and_fills_no_queue(rig_for, monkeypatch):
    rig = await rig_for(SPEC, start=False)
    monkeypatch.setattr(finder, "BLOCK", 4)
    monkeypatch.setattr(finder, "MOST_PAIRS", 2)
    monkeypatch.setattr(queries, "BLOCK", 4)
    monkeypatch.setattr(finder, "AT_ONCE", 5)
    async with rig.client() as client:
        for number in range(5):
            await make(client, "Kari Nordmann", f"kari{number}@example.com", **OSLO)
        await settle(rig)
        none = (await client.get("/v1/duplicates/blocks")).json()
        for number in range(5, 9):
            await make(client, "Kari Nordmann", f"kari{number}@example.com", **OSLO)
        await settle(rig)
        (block,) = (await client.get("/v1/duplicates/blocks")).json()
        found = (await client.get("/v1/duplicates?limit=200")).json()["items"]

    asked = Counter(one["id"] for pair in found for one in pair["contacts"])
    assert [] == none
    assert ("name", 9, False) == (block["kind"], block["people"], block["is_more"])
    assert len(asked) > 1
    assert max(asked.values()) <= 4  # two when somebody else was looked at, two of their own


async def test_the_search_rests_as_long_as_it_has_worked_and_waits_when_there_is_nothing(
    rig_for, monkeypatch
):
    rig = await rig_for(SPEC, start=False)
    rests, left = [], [True, False]
    moments = iter([0.0, 0.4, 10.0, 10.1])

    async def step(_tx):
        return left.pop(0)

    async def rest(seconds):
        rests.append(round(seconds, 3))
        if not left:
            raise asyncio.CancelledError

    monkeypatch.setattr(jobs, "STEPS", (step,))
    monkeypatch.setattr(jobs, "moment", lambda: next(moments))
    monkeypatch.setattr(jobs.asyncio, "sleep", rest)

    with pytest.raises(asyncio.CancelledError):
        await jobs.find_duplicates(rig.service)

    assert [0.4, jobs.IDLE_SECONDS] == rests
