"""Calls one by one: through the gate, under a lease, ended with a word."""

from datetime import UTC, datetime, timedelta

from kantis_contracts.contacts import InsightCard, InsightChangedV1, LinkCard, LinkChangedV1
from kantis_contracts.messaging import (
    AddressReportedV1,
    CallEndedV1,
    MessageSettledV1,
    PermissionWithdrawnV1,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.phone.usecases import CallWish, put_on_list


async def test_a_caller_gets_the_script_and_what_is_known_of_the_person(room):
    kari, now = room.person(0), room.clock.now()
    said = [
        InsightCard(
            insight_id=new_id(), person_id=kari.person_id, term=term, kind=kind, words={"nb": term},
            said_at=now, until=until, is_taken_back=is_gone,
        )
        for term, kind, until, is_gone in (
            ("warm_light", "need", None, False),
            ("too_dear", "objection", now + timedelta(days=1), False),
            ("over", "need", now - timedelta(days=1), False),
            ("mistaken", "need", None, True),
        )
    ]  # fmt: skip
    await room.house.rig.publish(InsightChangedV1(items=tuple(said)), copies=2)
    await room.launch([kari])

    call = await room.take()

    assert kari.phone == call["phone"]
    assert "Hei Kari0! Vi har Lampe Æø til 499,00" in call["script"].replace("\xa0", " ")
    assert "Koden er C0DE0000." in call["script"]
    assert ("Vår", "nb", 1, "") == tuple(
        call[name] for name in ("campaign_name", "script_language", "attempt", "problem")
    )
    assert {"warm_light", "too_dear"} == {one["term"] for one in call["needs"]}
    assert call["local_time"].startswith("2026-11-24T12:00")


async def test_two_callers_never_have_the_same_person_and_a_lease_ends(room):
    await room.launch([room.person(0), room.person(2)])

    taken = [await room.take(name, lease_minutes=10) for name in ("Anne", "Bo")]

    assert 2 == len({one["person_id"] for one in taken})
    assert (await room.next("Cecilie"))["call"] is None
    room.clock.advance(timedelta(minutes=11))
    again = await eventually(lambda: room.recovered("Cecilie"), message="the lease did not end")
    late = next(one for one in taken if one["person_id"] == again["person_id"])
    refused = await room.end(late, "reached_yes")
    assert (409, "call-not-yours") == (
        refused.status_code,
        refused.json()["type"].rsplit(":", 1)[-1],
    )
    other = next(one for one in taken if one["person_id"] != again["person_id"])
    assert 200 == (await room.end(other, "reached_yes")).status_code, "nobody else has it yet"


async def test_a_person_who_was_reached_is_not_called_again_and_the_message_has_ended(room):
    kari = room.person(0)
    await room.launch([kari])
    call = await room.take()

    answer = (
        await room.end(
            call, "reached_yes", note="Gleder seg", follow_up="Send katalogen",
            learned=[{"term": "warm_light", "strength": 5, "note": "til stuen"}],
        )
    ).json()  # fmt: skip

    assert ("accepted", True, "answered") == tuple(answer[k] for k in ("state", "is_new", "effect"))
    row = await room.row(kari)
    assert ("accepted", "reached_yes", 1) == (row["state"], row["reason"], row["attempts"])
    assert (await room.next())["call"] is None
    assert not (await room.end(call, "reached_yes")).json()["is_new"]
    assert 409 == (await room.end(call, "reached_no")).status_code
    await room.house.until_ended()
    await room.house.rig.drain()
    assert ["reached_yes"] == [one.reason for one in room.house.rig.items(MessageSettledV1)]
    told = room.house.rig.items(CallEndedV1)
    assert [("reached_yes", "Anne", "Send katalogen", "warm_light", 5)] == [
        (one.outcome, one.caller, one.follow_up, one.learned[0].term, one.learned[0].strength)
        for one in told
    ]


async def test_a_call_back_comes_due_at_its_time_where_the_person_is(room):
    mika = room.person(0, time_zone="Europe/Helsinki")
    await room.launch([mika])
    call = await room.take()

    answer = await room.end(call, "call_back", call_back_at="2026-11-25T10:30")

    assert "2026-11-25T08:30:00Z" == answer.json()["next_at"]
    room.clock.set(datetime(2026, 11, 25, 8, 29, tzinfo=UTC))
    assert (await room.next())["call"] is None
    room.clock.set(datetime(2026, 11, 25, 8, 30, tzinfo=UTC))
    again = await room.take()
    assert (str(mika.person_id), 2) == (again["person_id"], again["attempt"])
    assert ["call_back"] == [one["outcome"] for one in again["earlier"]]


REFUSED = {
    "outcome": [{"outcome": "sang"}, {"outcome": "Reached!"}],
    "call_back_at": [
        {"outcome": "call_back"},
        *(
            {"outcome": "call_back", "call_back_at": at}
            for at in (
                "2026-11-24T09:00",
                "2029-11-24T09:00",
                "9999-12-31T23:59:59-12:00",
                "at noon",
            )
        ),
        {"outcome": "busy", "call_back_at": "2026-11-26T09:00"},
    ],
    "term": [{"outcome": "busy", "learned": [{"term": "Not a key"}]}],
}


async def test_an_outcome_that_cannot_be_is_refused_with_the_field_and_the_call_goes_on(
    shared_call,
):
    room, call = shared_call

    for field, bodies in REFUSED.items():
        for body in bodies:
            answer = await room.call("POST", f"{call['id']}/outcome", json=body)

            assert 422 == answer.status_code, body
            assert answer.json()["errors"][0]["field"].endswith(field), answer.text
    assert (
        404
        == (await room.call("POST", f"{new_id()}/outcome", json={"outcome": "busy"})).status_code
    )
    assert 200 == (await room.end(call, "busy")).status_code


async def test_attempts_wait_and_are_limited(room):
    kari = room.person(0)
    await room.launch([kari])
    states = []

    for _ in range(5):
        call = await room.take()
        answer = (await room.end(call, "busy")).json()
        states.append(answer["state"])
        assert (await room.next())["call"] is None
        room.clock.advance(timedelta(minutes=30))

    assert ["planned"] * 4 + ["failed"] == states
    row = await room.row(kari)
    assert ("failed", "not_reached", 5) == (row["state"], row["rule"], row["attempts"])


async def test_who_wants_no_calls_gets_none_from_then_on_in_any_campaign(room):
    kari = room.person(0)
    await room.launch([kari])
    await room.launch([kari])

    call = await room.take()
    await room.end(call, "do_not_call")

    assert (await room.next())["call"] is None
    await room.look_over()
    assert {("accepted", "allowed"), ("suppressed", "withdrawn")} == {
        (row["state"], row["rule"]) for row in await room.house.rows()
    }
    await room.house.rig.drain()
    assert [("phone", "call", None)] == [
        (one.channel, one.source, one.purpose)
        for one in room.house.rig.items(PermissionWithdrawnV1)
    ]


async def test_a_wrong_number_is_reported_and_not_called_again(room):
    kari = room.person(0)
    await room.launch([kari])
    await room.launch([kari])

    await room.end(await room.take(), "wrong_number")

    assert (await room.next())["call"] is None
    await room.look_over()
    assert {("failed", "wrong_number"), ("suppressed", "address_suppressed")} == {
        (row["state"], row["rule"]) for row in await room.house.rows()
    }
    await room.house.rig.drain()
    assert [(kari.person_id, "phone", "hard_bounce")] == [
        (one.person_id, one.channel, one.outcome) for one in room.house.rig.items(AddressReportedV1)
    ]


async def test_of_one_number_at_three_companies_the_most_relevant_is_called_and_the_others_are_counted(
    room,
):
    people = [room.person(n, phone="+4722000000") for n in (0, 2, 4)]
    quiet = room.person(6, phone="+4722000000")
    links = [
        LinkCard(
            link_id=new_id(), version=1, person_id=person.person_id, organisation_id=new_id(),
            organisation_name=f"Firma {n}", role="owner", relevance=relevance, do_not_contact=silent,
        )
        for n, (person, relevance, silent) in enumerate(
            ((people[0], 20, False), (people[1], 80, False), (people[2], 50, False), (quiet, 99, True))
        )
    ]  # fmt: skip
    await room.house.rig.publish(LinkChangedV1(items=tuple(links)))
    event = await room.launch([*people, quiet])

    call = await room.take()

    assert str(people[1].person_id) == call["person_id"]
    assert ["Firma 1"] == [one["organisation"] for one in call["roles"]]
    assert (await room.next())["call"] is None
    await room.end(call, "reached_no")
    room.clock.advance(timedelta(minutes=2))
    await room.look_over()
    told = (await room.call("GET", f"lists/{event.campaign_id}")).json()
    assert (4, 1, 3, 0) == tuple(told[name] for name in ("people", "reached", "spared", "ready"))
    assert {"less_relevant": 2, "no_contact_in_any_role": 1, "reached_no": 1} == {
        one["reason"]: one["people"] for one in told["reasons"]
    }


async def test_nobody_is_called_outside_the_hours_without_a_yes_or_after_the_end(room):
    night = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
    room.clock.set(night)
    await room.launch([room.person(0)], not_after=night + timedelta(days=2))
    await room.launch([room.person(2)], permit=False)

    assert (await room.next())["call"] is None

    await room.look_over()
    assert {"waits_for_hours", "no_permission"} == {row["rule"] for row in await room.house.rows()}
    room.clock.set(night + timedelta(hours=6))
    call = await room.take()
    await room.call("POST", f"{call['id']}/release", json={})
    room.clock.set(night + timedelta(days=3))
    await room.look_over()
    assert {"expired", "suppressed"} == {row["state"] for row in await room.house.rows()}


async def test_who_asked_for_a_call_is_called_at_their_time_whatever_they_think_of_advertising(
    room,
):
    wish = CallWish(
        wish_id=new_id(),
        person_id=None,
        to_phone="+4790000001",
        language="nb",
        call_at=room.clock.now() + timedelta(hours=2),
        preferred_name="Ola",
        about="Faktura 17",
    )
    for _ in range(2):
        async with write(room.house.rig.service.scope, actor="test") as tx:
            await put_on_list(tx, [wish])
    assert (await room.next())["call"] is None

    room.clock.advance(timedelta(hours=2))
    call = await room.take()

    assert ("Ola", "Faktura 17", "+4790000001") == tuple(
        call[name] for name in ("preferred_name", "script", "phone")
    )
    assert 200 == (await room.end(call, "do_not_call")).status_code
    assert 1 == len(await room.house.rows())


async def test_a_company_adds_words_and_cannot_change_ours(shared_call):
    room, _ = shared_call
    word = {"effect": "again", "words": {"nb": "Sperret sentralbord"}, "wait_minutes": 60}

    added = await room.call("PUT", "outcomes/switchboard", json=word)

    assert 200 == added.status_code, added.text
    known = {one["code"]: one for one in (await room.call("GET", "outcomes")).json()}
    assert ("again", True) == (known["switchboard"]["effect"], known["switchboard"]["is_own"])
    assert {"nb", "sv", "da", "fi", "en"} == set(known["busy"]["words"])
    assert 409 == (await room.call("PUT", "outcomes/busy", json=word)).status_code
    assert 204 == (await room.call("DELETE", "outcomes/switchboard")).status_code
    assert 404 == (await room.call("DELETE", "outcomes/switchboard")).status_code
