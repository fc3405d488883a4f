"""Addresses that must not be written to, by scope; and how people want to be written to."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select

from contacts_svc.main import SPEC
from contacts_svc.permissions.hashes import doorstep, doorstep_sql, keyed_hash, keyed_hash_sql
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PreferenceChangedV1,
    SuppressionChangedV1,
)
from kantis_contracts.messaging import PermissionWithdrawnV1, Wish, WishStatedV1, Withdrawal
from kantis_kit.ids import new_id
from kantis_kit.tx import read

KEY = {"contacts": {"suppression_key": "a secret"}}
YES = {
    "channel": "email",
    "purpose": "offers",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes, please",
}
LIST = str(UUID(int=7))


async def make_person(client, **changes):
    body = {"full_name": "Kari", "email": "kari@example.com", **changes}
    answer = await client.post("/v1/contacts", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def ask(client, person, channel="email", message_class="marketing", **more):
    answer = await client.get(
        f"/v1/contacts/{person}/permissions/decision",
        params={"channel": channel, "message_class": message_class, **more},
    )
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def make_topic(client, key="garden"):
    body = {"purpose": "offers", "names": {"nb": "Hage", "en": "Garden"}}
    assert 200 == (await client.put(f"/v1/topics/{key}", json=body)).status_code


@pytest.mark.parametrize(
    ("scope", "scope_id", "hit", "missed"),
    [
        ("list", LIST, {"list_id": LIST}, {}),
        ("topic", "garden", {"topic": "garden"}, {"topic": "boats"}),
        ("channel", "sms", {"channel": "sms"}, {"channel": "email"}),
        ("everything", "", {}, None),
    ],
)
async def test_a_suppression_holds_in_its_scope_and_nowhere_else(
    rig_for, scope, scope_id, hit, missed
):
    rig = await rig_for(SPEC, settings=KEY, start=False)

    async with rig.client() as client:
        person = await make_person(client, phone="+47 412 34 567")
        await make_topic(client)
        for channel in ("email", "sms"):
            await client.post(
                f"/v1/contacts/{person}/permissions", json={**YES, "channel": channel}
            )
        before = await ask(client, person, **hit)
        rig.clock.advance(timedelta(minutes=1))
        made = await client.post(
            f"/v1/contacts/{person}/suppressions", json={"scope": scope, "scope_id": scope_id}
        )
        after = await ask(client, person, **hit)
        elsewhere = await ask(client, person, **missed) if missed is not None else None
        own = await ask(client, person, message_class="transactional")

    assert 201 == made.status_code, made.text
    assert "allow" == before["verdict"]
    assert ("deny", "suppressed") == (after["verdict"], after["reason"])
    assert elsewhere is None or "allow" == elsewhere["verdict"]
    assert "allow" == own["verdict"]


async def test_a_suppression_of_a_channel_is_a_no_where_messages_are_sent(rig_for):
    rig = await rig_for(SPEC, settings=KEY)
    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        rig.clock.advance(timedelta(minutes=1))
        path = f"/v1/contacts/{person}/suppressions"
        await client.post(path, json={"scope": "channel", "scope_id": "email"})
        await client.post(path, json={"scope": "channel", "scope_id": "email"})
    await rig.drain()

    newest = max(
        (one for one in rig.items(PermissionChangedV1) if one.purpose == "offers"),
        key=lambda one: one.version,
    )
    assert ("withdrawn", 2) == (newest.state, newest.version)


async def test_a_suppression_outlives_the_erasure_of_the_person(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/suppressions", json={"scope": "everything"})
        await client.delete(f"/v1/contacts/{person}")
        asked = await client.post(
            "/v1/permissions/suppressions/check", json={"email": "KARI@example.com "}
        )
        again = await make_person(client, after_erasure=True)
        rig.clock.advance(timedelta(minutes=1))
        await client.post(f"/v1/contacts/{again}/permissions", json=YES)
        decision = await ask(client, again)
    pool = await rig.service.database.pool()
    (kept,) = await pool.fetch("SELECT * FROM suppression_scope")

    assert ["everything"] == [one["scope"] for one in asked.json()]
    assert ("deny", "suppressed") == (decision["verdict"], decision["reason"])
    assert "kari" not in str(dict(kept)).lower()
    assert keyed_hash(b"a secret", "email:kari@example.com") == kept["hash"]


async def test_an_address_of_nobody_is_suppressed_before_it_comes(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)

    async with rig.client() as client:
        made = await client.post(
            "/v1/permissions/suppressions",
            json={"phone": "+47 412 34 567", "scope": "everything", "reason": "asked by letter"},
        )
        person = await make_person(client, phone="41234567")
        decision = await ask(client, person, "sms")
        (held,) = (await client.get(f"/v1/contacts/{person}/suppressions")).json()
        gone = await client.delete(f"/v1/contacts/{person}/suppressions/{held['id']}")
        twice = await client.delete(f"/v1/permissions/suppressions/{held['id']}")
        after = await ask(client, person, "sms")

    assert (201, 204, 404) == (made.status_code, gone.status_code, twice.status_code)
    assert "suppressed" == decision["reason"]
    assert "no_consent" == after["reason"]


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "channel", "scope_id": "pigeon"},
        {"scope": "channel"},
        {"scope": "list", "scope_id": "the good one"},
        {"scope": "topic", "scope_id": "unheard-of"},
        {"scope": "everything", "scope_id": "email"},
    ],
)
async def test_a_scope_that_names_nothing_is_refused(rig_for, body):
    rig = await rig_for(SPEC, settings=KEY, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        answer = await client.post(f"/v1/contacts/{person}/suppressions", json=body)

    assert 422 == answer.status_code
    assert "scope_id" in answer.text


async def test_a_pause_and_a_refused_topic_hold_until_they_end(rig_for):
    rig = await rig_for(SPEC, settings=KEY, start=False)
    until = rig.clock.now() + timedelta(minutes=1)

    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        put = await client.put(
            f"/v1/contacts/{person}/preferences",
            json={
                "channels": ["sms", "email"],
                "topics": {"garden": False, "boats": True},
                "hour_from": 8,
                "hour_to": 20,
                "days": [5, 1, 1],
                "per_month": 2,
                "paused_until": until.isoformat(),
            },
        )
        paused = await ask(client, person)
        rig.clock.advance(timedelta(minutes=1))
        over = await ask(client, person)
        refused = await ask(client, person, topic="garden")
        wanted = await ask(client, person, topic="boats")

    assert ([1, 5], ["sms", "email"], 1) == tuple(
        put.json()[name] for name in ("days", "channels", "version")
    )
    assert ["paused", "consent", "topic_refused", "consent"] == [
        one["reason"] for one in (paused, over, refused, wanted)
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"hour_from": 20, "hour_to": 8},
        {"hour_from": 8},
        {"days": [0]},
        {"channels": ["email", "email"]},
        {"per_month": 0},
        {"topics": {"A B": True}},
        {"paused_until": "2026-01-01T00:00:00"},
    ],
)
async def test_preferences_that_make_no_sense_are_refused(rig_for, body):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        answer = await client.put(f"/v1/contacts/{person}/preferences", json=body)

    assert 422 == answer.status_code


async def test_club_terms_are_no_consent(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        answer = await client.post(
            f"/v1/contacts/{person}/permissions", json={**YES, "legal_basis": "membership"}
        )
        decision = await ask(client, person)

    assert 422 == answer.status_code
    assert "never a consent" in answer.json()["detail"]
    assert "no_consent" == decision["reason"]


async def test_a_national_number_in_a_note_is_refused(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        answer = await client.post(
            f"/v1/contacts/{person}/permissions", json={**YES, "note": "fnr 15108695088"}
        )

    assert 422 == answer.status_code
    assert "note" in answer.text
    assert "15108695088" not in answer.text


async def test_an_auditor_reads_the_whole_ledger_page_by_page_and_the_rules(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        for state in ("granted", "withdrawn", "granted"):
            await client.post(f"/v1/contacts/{person}/permissions", json={**YES, "state": state})
        first = (await client.get("/v1/permissions/ledger", params={"limit": 2})).json()
        rest = (
            await client.get("/v1/permissions/ledger", params={"cursor": first["next_cursor"]})
        ).json()
        rules = (await client.get("/v1/permissions/rules")).json()
        forged = await client.get("/v1/permissions/ledger", params={"cursor": "x"})

    assert [1, 2, 3] == [one["version"] for one in [*first["items"], *rest["items"]]]
    assert {person} == {one["person_id"] for one in rest["items"]}
    assert None is rest["next_cursor"]
    assert "markedsføringsloven § 15" in next(
        one["source"] for one in rules if one["id"] == "no-electronic"
    )
    assert 422 == forged.status_code


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=8))
def test_a_doorstep_needs_a_name_a_street_and_a_code(name, street, code):
    spelled = doorstep(name, street, code)

    assert spelled == doorstep(f" {name}. ", street, f"{code[:1]} {code[1:]}")
    assert spelled == "" or 2 == spelled.count("|")


async def test_the_database_hashes_as_we_do(rig_for):
    rig = await rig_for(SPEC, start=False)
    texts = ["", "email:kari@example.com", "phone:+4741234567", "ÆØÅ 🙂", "x" * 300]
    doors = [("Åse Øvrebø", "Storgata 1 B", "0155"), ("İpek Ünal", "ÄÖ-gränd 2", "SE 111 22")]

    async with read(rig.service.scope) as tx:
        for key in (b"", b"short", b"k" * 64, b"k" * 200):
            for text in texts:
                found = await tx.scalar(select(keyed_hash_sql(key, literal(text))))
                assert keyed_hash(key, text) == bytes(found)
        for door in doors:
            found = await tx.scalar(select(doorstep_sql(*(literal(part) for part in door))))
            assert doorstep(*door) == found


async def test_nobody_is_suppressed_who_is_not_there(rig_for):
    rig = await rig_for(SPEC, start=False)
    stranger = UUID(int=5)

    async with rig.client() as client:
        answers = [
            await client.get(f"/v1/contacts/{stranger}/suppressions"),
            await client.post(
                f"/v1/contacts/{stranger}/suppressions", json={"scope": "everything"}
            ),
            await client.get(f"/v1/contacts/{stranger}/preferences"),
            await client.put(f"/v1/contacts/{stranger}/preferences", json={}),
        ]

    assert [404] * 4 == [one.status_code for one in answers]


async def test_others_are_told_how_a_person_wants_to_be_written_to(rig_for):
    rig = await rig_for(SPEC)
    until = rig.clock.now() + timedelta(days=9)
    async with rig.client() as client:
        person = await make_person(client)
        path = f"/v1/contacts/{person}/preferences"
        await client.put(path, json={"topics": {"garden": False}, "per_month": 4})
        await client.put(
            path,
            json={
                "channels": ["sms", "email"], "hour_from": 9, "hour_to": 17, "days": [5, 1],
                "paused_until": until.isoformat(),
            },
        )  # fmt: skip
    await rig.drain()

    first, second = sorted(rig.items(PreferenceChangedV1), key=lambda one: one.version)
    assert (1, {"garden": False}, 4, None) == (
        first.version, first.topics, first.per_month, first.paused_until,
    )  # fmt: skip
    assert (2, {}, ("sms", "email"), 9, 17, (1, 5), None, until) == (
        second.version, second.topics, second.channels, second.hour_from, second.hour_to, second.days,
        second.per_month, second.paused_until,
    )  # fmt: skip


async def test_others_are_told_of_a_suppression_and_of_its_end_each_once(rig_for):
    rig = await rig_for(SPEC, settings=KEY)
    async with rig.client() as client:
        body = {"email": "Nobody@Example.com", "scope": "list", "scope_id": LIST, "reason": "asked"}
        for _ in range(2):
            made = await client.post("/v1/permissions/suppressions", json=body)
        (kept,) = made.json()
        await client.delete(f"/v1/permissions/suppressions/{kept['id']}")
    await rig.drain()

    told, gone = sorted(rig.items(SuppressionChangedV1), key=lambda one: one.version)
    assert kept["id"] == str(told.suppression_id) == str(gone.suppression_id)
    assert ("email", "nobody@example.com", "list", LIST, False) == (
        told.kind, told.address, told.scope, told.scope_id, told.is_lifted,
    )  # fmt: skip
    assert (1, 2, "", True) == (told.version, gone.version, gone.address, gone.is_lifted)


async def test_what_was_refused_where_messages_are_sent_is_kept_unless_something_younger_is_known(
    rig_for,
):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client)
        await client.put(
            f"/v1/contacts/{person}/preferences",
            json={"topics": {"garden": True, "boats": True}, "per_month": 2},
        )
    early, late = (rig.clock.now() + timedelta(minutes=n) for n in (-1, 1))
    until = rig.clock.now() + timedelta(days=30)

    def wish(topic, at, paused=None):
        return Wish(
            wish_id=new_id(), person_id=UUID(person), topic=topic, paused_until=paused, stated_at=at
        )

    await rig.publish(
        WishStatedV1(items=(wish("boats", early), wish("garden", late), wish("", late, until))),
        WishStatedV1(items=(wish("garden", late).model_copy(update={"person_id": new_id()}),)),
    )
    await rig.drain()

    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{person}/preferences")).json()
    assert {"garden": False, "boats": True} == now["topics"]
    assert (2, until) == (now["per_month"], datetime.fromisoformat(now["paused_until"]))
    assert [] == await rig.parked()


async def test_one_no_on_the_page_makes_one_entry_though_it_comes_from_two_sides(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        rig.clock.advance(timedelta(minutes=1))
        no = {**YES, "state": "withdrawn"}
        await client.post(f"/v1/contacts/{person}/permissions", json=no)

    def said(purpose, source):
        return PermissionWithdrawnV1(
            items=(
                Withdrawal(
                    withdrawal_id=new_id(), person_id=UUID(person), channel="email", purpose=purpose,
                    source=source, withdrawn_at=rig.clock.now(),
                ),
            )
        )  # fmt: skip

    await rig.publish(said("offers", "preference_page"), said("newsletter", "preference_page"))
    await rig.drain()
    async with rig.client() as client:
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()
    assert [("offers", "granted"), ("offers", "withdrawn"), ("newsletter", "withdrawn")] == [
        (one["purpose"], one["state"]) for one in proof
    ]

    await rig.publish(said("offers", "one_click"))
    await rig.drain()
    async with rig.client() as client:
        assert 4 == len((await client.get(f"/v1/contacts/{person}/permissions/proof")).json())
