"""Merges: two records become one, nothing is lost, and no `no`; and two again when that was wrong."""

import asyncio
import re
from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.privacy import inside
from contacts_svc.quality import finder
from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1, PreferenceChangedV1
from kantis_contracts.messaging import PermissionWithdrawnV1, Withdrawal
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

KARI = {"full_name": "Kari Nordmann", "email": "kari@example.com", "phone": "+4741234567"}
AGAIN = {
    "full_name": "Kari Ødegård",
    "preferred_name": "Kari",
    "email": "kari@work.example.com",
    "phone": "+4798765432",
    "note": "likes blue",
    "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
}
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
SECRETS = re.compile("nordmann|ødegård|41234567|98765432|storgata|likes blue", re.IGNORECASE)


async def make(client, body):
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def say(client, person, state, channel="email"):
    body = {"channel": channel, "purpose": "newsletter", "state": state, "source": "fair"}
    answer = await client.post(
        f"/v1/contacts/{person}/permissions", json=body | {"text_shown": "Yes, write to me"}
    )
    assert answer.status_code < 300, answer.text


async def states(client, person):
    found = (await client.get(f"/v1/contacts/{person}/permissions")).json()
    found = found["items"] if isinstance(found, dict) else found
    return {(one["channel"], one["purpose"]): one["state"] for one in found}


async def merge(client, known, merged, **more):
    return await client.post("/v1/merges", json={"known_id": known, "merged_id": merged} | more)


def newest(rig, person):
    cards = [card for card in rig.items(PersonChangedV1) if str(card.person_id) == person]
    return max(cards, key=lambda card: card.version)


async def contents(rig):
    """Return rows of persons as they are."""
    pool = await rig.service.database.pool()
    tables = ["identifier", "postal_address", "interaction", "list_member", "preference"]
    return {
        table: sorted(
            row["text"]
            for row in await pool.fetch(f"SELECT to_jsonb(t)::text AS text FROM {table} t")
        )
        for table in tables
    }


async def test_the_known_one_survives_with_what_both_had_and_the_old_id_answers_with_it(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        call = {
            "person_id": merged,
            "kind": "call",
            "direction": "in",
            "occurred_at": "2026-01-02T10:00:00Z",
            "source": "desk",
            "text": "asked",
        }
        await client.post("/v1/interactions", json={"items": [call]})
        sheet = (await client.post("/v1/segments", json={"name": "Club", "kind": "list"})).json()
        await client.post(f"/v1/segments/{sheet['id']}/members", json={"person_ids": [merged]})

        made = await merge(client, known, merged, reason="same person at the desk")
        told = (await client.get(f"/v1/contacts/{merged}")).json()
        mine = (await client.get(f"/v1/contacts/{known}")).json()
        changing = await client.patch(
            f"/v1/contacts/{merged}", json={"note": "x"}, headers={"If-Match": '"1"'}
        )
        again = await merge(client, known, merged)
        listed = (await client.get(f"/v1/merges?contact_id={known}")).json()["items"]
        changes = (await client.get(f"/v1/contacts/{known}/changes")).json()

    assert 201 == made.status_code, made.text
    assert (known, merged) == (told["id"], told["merged_from"])
    assert "Kari Nordmann" == mine["full_name"]
    assert ("Kari", "likes blue", "Storgata 1") == (
        mine["preferred_name"],
        mine["note"],
        mine["address"]["street"],
    )
    assert ("kari@example.com", "+4741234567") == (mine["email"], mine["phone"])
    assert {KARI["email"], KARI["phone"], AGAIN["email"], AGAIN["phone"]} == {
        one["value"] for one in mine["identifiers"]
    }
    assert (409, "urn:kantis:problem:contact-merged", known) == (
        changing.status_code,
        changing.json()["type"],
        changing.json()["known_id"],
    )
    assert (409, known) == (again.status_code, again.json()["known_id"])
    assert [made.json()["id"]] == [one["id"] for one in listed]
    assert 1 == made.json()["moved"].get("list_member")
    assert "same person at the desk" == changes[0]["reason"]
    await rig.drain()
    card = newest(rig, merged)
    assert (None, None, False) == (card.email, card.phone, card.is_erased)
    assert "kari@example.com" == newest(rig, known).email


@pytest.mark.parametrize("is_older", [True, False])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_no_of_either_survives_however_old_it_is(rig_for, is_older, is_known):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        refusing, allowing = (known, merged) if is_known else (merged, known)
        said = [(refusing, "withdrawn"), (allowing, "granted")]
        for person, state in said if is_older else reversed(said):
            await say(client, person, state)
            rig.clock.advance(timedelta(seconds=1))

        await merge(client, known, merged)
        now = await states(client, known)

    assert "withdrawn" == now["email", "newsletter"]
    await rig.drain()
    entries = [e for e in rig.items(PermissionChangedV1) if str(e.person_id) == known]
    assert "withdrawn" == max(entries, key=lambda one: one.version).state


async def test_of_two_preferences_the_stricter_holds(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        await client.put(f"/v1/contacts/{known}/preferences", json={"per_month": 4})
        told = {"per_month": 2, "paused_until": "2026-06-01T00:00:00Z"}
        put = await client.put(f"/v1/contacts/{merged}/preferences", json=told)

        await merge(client, known, merged)
        now = (await client.get(f"/v1/contacts/{known}/preferences")).json()

    await rig.drain()

    assert put.status_code == 200, put.text
    cards = [one for one in rig.items(PreferenceChangedV1) if str(one.person_id) == known]
    assert 2 == max(cards, key=lambda one: one.version).per_month
    assert (2, "2026-06-01T00:00:00Z") == (now["per_month"], now["paused_until"])


async def test_a_yes_comes_with_its_words_where_the_known_one_said_nothing(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        await say(client, merged, "granted")

        await merge(client, known, merged)
        proof = (await client.get(f"/v1/contacts/{known}/permissions/proof")).json()

    assert ("granted", "Yes, write to me") == (proof[-1]["state"], proof[-1]["text_shown"])
    assert merged == proof[-1]["evidence"]["merged_from"]


async def test_a_no_that_comes_late_under_the_old_id_holds_for_the_known_one(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        await say(client, known, "granted")
        await merge(client, known, merged)
        late = Withdrawal(
            withdrawal_id=new_id(),
            person_id=merged,
            channel=Channel.EMAIL,
            purpose=Purpose.NEWSLETTER,
            source="one-click",
            withdrawn_at=rig.clock.now(),
        )
        await rig.publish(PermissionWithdrawnV1(items=(late,)))
        await rig.drain()

        async def is_carried():
            return (await states(client, known))["email", "newsletter"] == "withdrawn"

        await eventually(is_carried, message="the no was lost")


async def test_undoing_gives_each_what_was_theirs(rig_for):
    rig = await rig_for(SPEC)
    shared = {"phone": "+4741234567", "phone_is_shared": True}
    async with rig.client() as client:
        known = await make(client, KARI | {"note": "tall"})
        merged = await make(client, AGAIN | shared)
        for person in (known, merged):
            await client.put(
                f"/v1/contacts/{person}/preferences", json={"per_month": 4, "topics": {}}
            )
        before = await contents(rig)
        first = [(await client.get(f"/v1/contacts/{one}")).json() for one in (known, merged)]

        made = await merge(client, known, merged)
        undone = await client.post(f"/v1/merges/{made.json()['id']}/undo")
        twice = await client.post(f"/v1/merges/{made.json()['id']}/undo")
        after = await contents(rig)
        last = [(await client.get(f"/v1/contacts/{one}")).json() for one in (known, merged)]

    assert (200, "undone", 409) == (
        undone.status_code,
        undone.json()["state"],
        twice.status_code,
    ), undone.text
    assert before == after
    for old, new in zip(first, last, strict=True):
        moving = ("version", "updated_at")
        assert {k: v for k, v in old.items() if k not in moving} == {
            k: v for k, v in new.items() if k not in moving
        }
        assert new["version"] > old["version"]
    await rig.drain()
    card = newest(rig, merged)
    assert (AGAIN["email"], "Kari Ødegård") == (card.email, card.full_name)


async def test_undoing_takes_back_a_yes_that_came_along_and_lets_a_later_no_hold_for_both(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        await say(client, merged, "granted")
        await say(client, merged, "granted", "sms")
        made = await merge(client, known, merged)
        rig.clock.advance(timedelta(seconds=1))
        await say(client, known, "withdrawn", "sms")

        await client.post(f"/v1/merges/{made.json()['id']}/undo")
        mine, theirs = await states(client, known), await states(client, merged)

    assert ("withdrawn", "withdrawn") == (mine["email", "newsletter"], mine["sms", "newsletter"])
    assert ("granted", "withdrawn") == (theirs["email", "newsletter"], theirs["sms", "newsletter"])


async def test_merges_of_merges_answer_with_the_last_and_are_undone_in_turn(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        a = await make(client, {"full_name": "Kari A", "email": "a@example.com"})
        b = await make(client, {"full_name": "Kari B", "email": "b@example.com"})
        c = await make(client, {"full_name": "Kari C", "email": "c@example.com"})
        first, second = await merge(client, b, a), await merge(client, c, b)

        known = [(await client.get(f"/v1/contacts/{one}")).json()["id"] for one in (a, b, c)]
        early = await client.post(f"/v1/merges/{first.json()['id']}/undo")
        last = await client.post(f"/v1/merges/{second.json()['id']}/undo")
        then = [(await client.get(f"/v1/contacts/{one}")).json() for one in (a, b, c)]
        now = await client.post(f"/v1/merges/{first.json()['id']}/undo")
        ends = [(await client.get(f"/v1/contacts/{one}")).json()["email"] for one in (a, b, c)]

    assert [c, c, c] == known
    assert (409, 200, 200) == (early.status_code, last.status_code, now.status_code)
    assert "undo that merge first" in early.json()["detail"]
    assert [b, b, c] == [one["id"] for one in then]
    assert ["a@example.com", "b@example.com", "c@example.com"] == ends


async def test_what_cannot_be_merged_is_refused_with_the_reason(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client, rig.client(scopes=["contacts:read"]) as reader:
        known = await make(client, KARI)
        itself = await merge(client, known, known)
        nobody = await merge(client, known, str(new_id()))
        number = await merge(client, known, str(new_id()), reason="10026312345")
        unknown = await client.post(f"/v1/merges/{new_id()}/undo")
        forbidden = await merge(reader, known, known)

    assert [422, 404, 404, 403] == [
        one.status_code for one in (itself, nobody, unknown, forbidden)
    ], number.text
    assert "into itself" in itself.json()["detail"]


async def test_erasing_the_known_one_leaves_nothing_of_the_merged_one_here_or_elsewhere(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        made = await merge(client, known, merged)

        erased = await client.delete(f"/v1/contacts/{known}")

        async def is_final():
            found = await client.get(f"/v1/merges/{made.json()['id']}")
            return found.json()["state"] == "final"

        await eventually(is_final, message="the merge kept what was erased")
        undoing = await client.post(f"/v1/merges/{made.json()['id']}/undo")

    assert (204, 409) == (erased.status_code, undoing.status_code)
    await rig.drain()
    assert newest(rig, merged).is_erased
    pool = await rig.service.database.pool()
    tables = await pool.fetch(
        "SELECT quote_ident(table_name) AS name FROM information_schema.tables "
        "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name !~ 'outbox'"
    )
    left = [
        (table["name"], row["text"])
        for table in tables
        for row in await pool.fetch(f"SELECT t::text AS text FROM {table['name']} t")
        if SECRETS.search(row["text"])
    ]
    assert [] == left


async def test_orders_that_come_late_under_the_old_id_are_those_of_the_known_one(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        await merge(client, known, merged)
        order = OrderCard.model_validate(
            {
                "order_id": new_id(),
                "person_id": merged,
                "version": 1,
                "number": "1",
                "total_minor": 10_000,
                "currency": "NOK",
                "changed_at": rig.clock.now(),
            }
        )
        await rig.publish(OrderPlacedV1(items=(order,)))
        await rig.drain()
        value = await client.get(f"/v1/contacts/{known}/value")

    assert 1 == value.json()["orders"], value.text


async def test_an_erasure_and_what_follows_a_merge_do_not_wait_for_each_other_in_a_circle(
    rig_for, monkeypatch
):
    rig = await rig_for(SPEC, start=False)
    forget = inside.forget

    async def take():
        async with write(rig.service.scope, actor="duplicates") as tx:
            return await finder.take(tx)

    async with rig.client() as client, asyncio.TaskGroup() as tasks:
        known, merged = await make(client, KARI), await make(client, AGAIN)
        made = await merge(client, known, merged)
        pool = await rig.service.database.pool()
        took = []

        async def waits():
            return await pool.fetchval(WAITING)

        async def taking_meanwhile(tx, *args):
            took.append(tasks.create_task(take()))
            await eventually(waits, message="nobody waits for the erasure")
            return await forget(tx, *args)

        monkeypatch.setattr(inside, "forget", taking_meanwhile)
        erased = await client.delete(f"/v1/contacts/{known}")
        await asyncio.wait(took)
        state = (await client.get(f"/v1/merges/{made.json()['id']}")).json()["state"]

    assert (204, [True], "final") == (erased.status_code, [one.result() for one in took], state)
