"""Whom a segment reaches: by the table of rules, with a reason for everybody who is left out."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from contacts_svc.main import SPEC
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments import queries
from contacts_svc.segments.conditions import CountryIs
from contacts_svc.segments.costs import give_room
from kantis_contracts.campaign import (
    AudienceRequest,
    AudienceRequestedV1,
    PreflightRequest,
    PreflightRequestedV1,
)
from kantis_contracts.contacts import AudienceFrozenV1, AudienceRefusedV1, ReachCountedV1
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write

KEY = {"contacts": {"suppression_key": "a secret"}}
DOORS = {
    "name": "Reservasjonsregisteret",
    "country": "NO",
    "channels": ["letter"],
    "matches": "address",
    "interval_days": 31,
    "mapping": {"name": "Navn", "street": "Adresse", "postal_code": "Postnr"},
}
WHERE = {"op": "country", "is_in": ["NO", "SE"]}


async def make_person(client, name, **changes):
    body = {
        "full_name": name,
        "email": f"{name.lower()}@example.com",
        "country": "NO",
        "address": {"street": f"{name}veien 1", "postal_code": "0155", "city": "Oslo"},
        **changes,
    }
    body = {key: value for key, value in body.items() if value is not None}
    answer = await client.post("/v1/contacts", json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def say(client, person, channel, state):
    answer = await client.post(
        f"/v1/contacts/{person}/permissions",
        json={
            "channel": channel,
            "purpose": "offers",
            "state": state,
            "source": "fair",
            "text_shown": "Yes, please",
        },
    )
    assert answer.is_success, answer.text


async def make_segment(client):
    answer = await client.post("/v1/segments", json={"name": "North", "condition": WHERE})
    return answer.json()["id"]


async def count(rig, segment, *channels, **about):
    request = PreflightRequest(
        preflight_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.OFFERS,
        channels=channels,
        **about,
    )
    await rig.publish(PreflightRequestedV1(items=(request,)))
    await rig.drain()
    (told,) = (
        one for one in rig.published(ReachCountedV1) if one.preflight_id == request.preflight_id
    )
    return told


async def freeze(rig, segment, channel, **about):
    request = AudienceRequest(
        launch_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.OFFERS,
        channel=channel,
        **about,
    )
    await rig.publish(AudienceRequestedV1(items=(request,)))
    await rig.drain()
    return {
        str(item.person_id)
        for event in rig.published(AudienceFrozenV1)
        if event.launch_id == request.launch_id
        for item in event.items
    }


async def test_letters_go_to_whom_the_washed_register_does_not_name_and_each_other_one_has_a_reason(
    rig_for,
):
    rig = await rig_for(SPEC, settings=KEY)
    async with rig.client() as client:
        free = await make_person(client, "Kari")
        named = await make_person(client, "Ola")
        asked_for = await make_person(client, "Per")
        await make_person(client, "Liv", do_not_contact=True)
        later = (rig.clock.now() + timedelta(days=9)).date().isoformat()
        await make_person(client, "Siv", not_before=later)
        refused = await make_person(client, "Jan")
        paused = await make_person(client, "Ida")
        stopped = await make_person(client, "Åse")
        home = {"street": "Gata 1", "postal_code": "11122", "city": "Solna"}
        await make_person(client, "Nils", country="SE", address=home)
        await make_person(client, "Mona", address=None)
        await say(client, asked_for, "letter", "granted")
        await say(client, refused, "letter", "withdrawn")
        until = (rig.clock.now() + timedelta(days=3)).isoformat()
        pause = await client.put(
            f"/v1/contacts/{paused}/preferences", json={"paused_until": until, "topics": {}}
        )
        stop = await client.post(
            f"/v1/contacts/{stopped}/suppressions", json={"scope": "channel", "scope_id": "letter"}
        )
        segment = await make_segment(client)
        unwashed = await count(rig, segment, Channel.LETTER)
        await client.put("/v1/registers/reservasjon", json=DOORS)
        rows = "Navn;Adresse;Postnr\nOla;Olaveien 1;0155\nPer;Perveien 1;0155\n"
        washed_at = await client.post(
            "/v1/registers/reservasjon/washes",
            content=rows.encode(),
            headers={"Content-Type": "text/csv"},
        )
        washed = await count(rig, segment, Channel.LETTER)
        sent = await freeze(rig, segment, Channel.LETTER)
        rig.clock.advance(timedelta(days=32))
        stale = await count(rig, segment, Channel.LETTER)

    assert pause.is_success, pause.text
    assert stop.is_success, stop.text
    assert 201 == washed_at.status_code, washed_at.text
    fixed = {"do_not_contact": 2, "refused": 1, "paused": 1, "suppressed": 1, "no_address": 1}
    (before,), (after,), (later_on,) = (one.items for one in (unwashed, washed, stale))
    assert (1, fixed | {"wash_missing": 3}) == (before.reachable, before.excluded)
    assert (2, fixed | {"wash_missing": 1, "reserved": 1}) == (after.reachable, after.excluded)
    assert {free, asked_for} == sent
    assert named not in sent
    # A month later the wash is too old, the pause is over, and the day before which nobody writes has come.
    assert {"wash_missing": 4, "reserved": 1} == {
        reason: number
        for reason, number in later_on.excluded.items()
        if reason in ("wash_missing", "reserved", "paused")
    }
    assert [True, False] == [one.washes[0].is_recent for one in (washed, stale)]
    assert () == unwashed.washes
    assert rig.clock.now().date() - timedelta(days=32) == washed.washes[0].washed_on


async def test_an_e_mail_needs_a_consent_or_a_sale_and_says_what_is_missing(rig_for):
    rig = await rig_for(SPEC, settings=KEY)
    async with rig.client() as client:
        yes = await make_person(client, "Kari")
        await make_person(client, "Ola")
        bounced = await make_person(client, "Liv")
        await make_person(client, "Ringer", email=None, phone="+47 412 34 567")
        for one in (yes, bounced):
            await say(client, one, "email", "granted")
        found = await client.get(f"/v1/contacts/{bounced}/identifiers")
        (address,) = found.json()
        evidence = await client.post(
            f"/v1/contacts/{bounced}/identifiers/{address['id']}/reachability",
            json={
                "outcome": "hard_bounce",
                "occurred_at": rig.clock.now().isoformat(),
                "source": "mail server",
            },
        )
        segment = await make_segment(client)
        told = await count(rig, segment, Channel.EMAIL)
        sent = await freeze(rig, segment, Channel.EMAIL)

    assert evidence.is_success, evidence.text
    assert (
        1,
        {"no_consent": 1, "undeliverable": 1, "no_address": 1},
    ) == (told.items[0].reachable, told.items[0].excluded)
    assert {yes} == sent


async def test_it_is_told_how_good_what_is_known_of_the_members_is(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        people = [await make_person(client, name) for name in ("Kari", "Ola", "Per")]
    now = rig.clock.now()
    parts = ("completeness", "validity", "reachability", "freshness")
    async with write(rig.service.scope) as tx:
        for person, score in zip(people, (20, 90), strict=False):
            each = dict.fromkeys(parts, score)
            tx.add(QualityScore(person_id=person, score=score, source="", scored_at=now, **each))

    async with read(rig.service.scope) as tx:
        asked = PreflightRequest(
            preflight_id=new_id(),
            campaign_id=new_id(),
            segment_id=new_id(),
            purpose=Purpose.OFFERS,
            channels=(Channel.EMAIL,),
        )
        told = await queries.measure(tx, queries.Audience(queries.parse(WHERE), ()), asked)

    assert (3, 3, 2, 55, 1) == (
        told.members,
        told.nameless,
        told.scored,
        told.mean_score,
        told.low_scores,
    )


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_a_customer_may_be_called_for_any_purpose_until_they_refuse(rig_for, purpose):
    rig = await rig_for(SPEC, settings=KEY)
    async with rig.client() as client:
        kari = await make_person(client, "Kari", phone="+47 412 34 567")
        segment = await make_segment(client)
    order = OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=kari,
        total_minor=100,
        currency="NOK",
        changed_at=rig.clock.now(),
    )
    request = AudienceRequest(
        launch_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=purpose,
        channel=Channel.PHONE,
    )
    await rig.publish(AudienceRequestedV1(items=(request,)))
    await rig.drain()
    strangers = rig.items(AudienceRefusedV1)
    await rig.publish(OrderPlacedV1(items=(order,)))
    await rig.drain()
    again = request.model_copy(update={"launch_id": new_id()})
    await rig.publish(AudienceRequestedV1(items=(again,)))
    await rig.drain()

    assert ["empty"] == [one.reason for one in strangers]
    assert [kari] == [str(one.person_id) for one in rig.items(AudienceFrozenV1)]


async def test_who_refused_a_topic_or_is_suppressed_for_a_list_is_no_audience_of_it(rig_for):
    rig = await rig_for(SPEC, settings=KEY)
    the_list = new_id()
    async with rig.client() as client:
        free, gardener, listed = [
            await make_person(client, name) for name in ("Kari", "Ola", "Per")
        ]
        for person in (free, gardener, listed):
            await say(client, person, "email", "granted")
        no = await client.put(
            f"/v1/contacts/{gardener}/preferences", json={"topics": {"garden": False}}
        )
        stop = await client.post(
            f"/v1/contacts/{listed}/suppressions",
            json={"scope": "list", "scope_id": str(the_list)},
        )
        segment = await make_segment(client)
        everybody = await count(rig, segment, Channel.EMAIL)
        about = {"topic": "garden", "list_id": the_list}
        counted = await count(rig, segment, Channel.EMAIL, **about)
        frozen = await freeze(rig, segment, Channel.EMAIL, **about)
        elsewhere = await freeze(rig, segment, Channel.EMAIL, topic="boats", list_id=new_id())

    assert no.is_success, no.text
    assert stop.is_success, stop.text
    assert (3, {}) == (everybody.items[0].reachable, everybody.items[0].excluded)
    excluded = {"topic_refused": 1, "suppressed": 1}
    assert (1, excluded) == (counted.items[0].reachable, counted.items[0].excluded)
    assert {free} == frozen
    assert {free, gardener, listed} == elsewhere


async def test_an_audience_of_several_channels_tells_each_persons_route_and_leaves_out_who_should_be(
    rig_for,
):
    rig = await rig_for(SPEC, settings=KEY)
    async with rig.client() as client:
        both, paper, nobody, out = [
            await make_person(client, name) for name in ("Kari", "Ola", "Per", "Liv")
        ]
        for person in (both, out):
            await say(client, person, "email", "granted")
        for person in (nobody, both, paper, out):
            # A letter may go out until it is refused: all but one have asked for it, so that no wash is needed.
            state = "withdrawn" if person == nobody else "granted"
            await say(client, person, "letter", state)
        wish = await client.put(
            f"/v1/contacts/{both}/preferences", json={"channels": ["letter", "email"]}
        )
        segment = await make_segment(client)
        listed = await client.post(
            "/v1/segments",
            json={"name": "Out", "condition": {"op": "city", "is_in": ["Bergen"]}},
        )
        home = {"street": "Gata 1", "postal_code": "5003", "city": "Bergen"}
        moved = await client.post(f"/v1/contacts/{out}/addresses", json=home)
        order = OrderCard(
            order_id=new_id(),
            version=1,
            number="1",
            person_id=both,
            total_minor=100_000,
            currency="NOK",
            changed_at=rig.clock.now(),
        )
        await rig.publish(OrderPlacedV1(items=(order,)))
        await rig.drain()
        without = (listed.json()["id"],)
        channels = (Channel.EMAIL, Channel.LETTER)
        told = await count(rig, segment, *channels, without_segments=without)
        frozen = await freeze(
            rig, segment, Channel.EMAIL, channels=channels, without_segments=without
        )

    assert wish.is_success, wish.text
    assert moved.is_success, moved.text
    assert {both, paper} == frozen
    (event,) = rig.published(AudienceFrozenV1)
    routes = {str(one.person_id): event.routes[one.route] for one in event.items}
    assert channels == routes[both].reached
    assert (Channel.LETTER, Channel.EMAIL) == routes[both].wished
    assert routes[both].worth > 50 > routes[paper].worth == 0
    assert {Channel.EMAIL: "no_consent"} == routes[paper].missed
    assert 3 == told.members
    assert [("segment", 1)] == [(one.reason, one.people) for one in told.exclusions]
    assert (1, 0) == (told.consents, told.without_text)
    assert {1: 2} == {
        people: sum(1 for one in told.groups if one.people == people)
        for people in {one.people for one in told.groups}
    }
    letters = next(one for one in told.items if one.channel is Channel.LETTER)
    assert (2, {"refused": 1}) == (letters.reachable, letters.excluded)


async def test_what_came_of_a_campaign_is_an_audience_of_the_next(rig_for):
    rig = await rig_for(SPEC, settings=KEY)
    spring, autumn = new_id(), new_id()
    async with rig.client() as client:
        bought, elsewhere, _ = [await make_person(client, name) for name in ("Kari", "Ola", "Per")]
        await rig.publish(
            OrderPlacedV1(
                items=tuple(
                    OrderCard(
                        order_id=new_id(), version=1, number="1", person_id=person, total_minor=100, currency="NOK",
                        campaign_id=campaign, changed_at=rig.clock.now(),
                    )
                    for person, campaign in ((bought, spring), (elsewhere, autumn))
                )
            )
        )  # fmt: skip
        await rig.drain()
        found = {}
        for op in ("orders", "responses", "messages"):
            asked = {"op": op, "value": 1, "campaign_ids": [str(spring)]}
            answer = await client.post("/v1/segments/preview", json={"condition": asked})
            assert 200 == answer.status_code, answer.text
            found[op] = answer.json()["count"]

    assert {"orders": 1, "responses": 0, "messages": 0} == found


async def test_counting_everybody_looks_once_for_the_customers_however_many_channels_are_asked_about(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    said = []

    def listen(_connection, _cursor, statement, *_rest):
        said.append(statement)

    request = PreflightRequest(
        preflight_id=new_id(), campaign_id=new_id(), segment_id=new_id(), purpose=Purpose.OFFERS,
        channels=(Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE),
    )  # fmt: skip
    async with read(rig.service.scope) as tx:
        await give_room(tx)
        timeout = await tx.scalar(text("SHOW statement_timeout"))
        event.listen(rig.service.database.engine.sync_engine, "before_cursor_execute", listen)
        await queries.count_reach(tx, CountryIs(op="country", is_in=["NO"]), request)

    assert "10min" == timeout
    assert 1 == "".join(said).count("FROM order_fact")
