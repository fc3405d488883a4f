"""Identifiers of a person, one by one, and whether messages arrive at them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.main import SPEC
from contacts_svc.people.reachability import (
    FINAL,
    SOFT_PAUSE,
    Outcome,
    Reachability,
    judge,
    outcome_of_failure,
)
from contacts_svc.people.usecases import reach
from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.messaging import (
    AddressOutcome,
    AddressReport,
    AddressReportedV1,
    Engagement,
    MessageOpenedV1,
    MessageSettledV1,
    Reply,
    ReplyReceivedV1,
    Settled,
    SettledState,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id
from kantis_kit.tx import write

KARI = {"full_name": "Kari Ødegård", "email": "kari@example.com"}
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def add(client, path, **body):
    answer = await client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def test_an_identifier_is_added_changed_made_the_first_and_removed_with_history(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI)
        path = f"/v1/contacts/{kari['id']}/identifiers"
        work = await add(
            client,
            path,
            kind="email",
            value="Kari@Firm.example.com",
            label="work",
            valid_from="2026-01-01",
            source="card",
            reason="gave her card",
        )
        twice = await client.post(path, json={"kind": "email", "value": "kari@firm.example.com"})
        first = await client.patch(f"{path}/{work['id']}", json={"is_primary": True})
        wrong = await client.patch(f"{path}/{work['id']}", json={"valid_to": "2025-12-31"})
        listed = (await client.get(path)).json()
        removed = await client.delete(f"{path}/{work['id']}", params={"reason": "left"})
        last = await client.delete(f"{path}/{listed[0]['id']}")
        after = (await client.get(f"/v1/contacts/{kari['id']}")).json()
        history = (await client.get(f"/v1/contacts/{kari['id']}/changes")).json()
    await rig.drain()

    assert ("kari@firm.example.com", "Kari@Firm.example.com", "work", False) == tuple(
        work[name] for name in ("value", "as_given", "label", "is_primary")
    )
    assert [409, 200, 422, 204, 422] == [
        one.status_code for one in (twice, first, wrong, removed, last)
    ]
    assert {("kari@example.com", False), ("kari@firm.example.com", True)} == {
        (one["value"], one["is_primary"]) for one in listed
    }
    assert "kari@example.com" == after["email"]
    assert ["left", "", "gave her card", ""] == [one["reason"] for one in history]
    cards = {card.version: card.email for card in rig.items(PersonChangedV1)}
    assert ["kari@example.com", "kari@firm.example.com", "kari@example.com"] == [
        cards[version] for version in (1, 3, 4)
    ]


async def test_a_phone_that_somebody_has_is_shared_or_refused_and_a_switchboard_is_always_shared(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI, phone="41234567")
        ola = await add(client, "/v1/contacts", full_name="Ola", email="ola@example.com")
        path = f"/v1/contacts/{ola['id']}/identifiers"
        phone = {"kind": "phone", "value": "412 34 567"}
        refused = await client.post(path, json=phone)
        shared = await add(client, path, **phone, is_shared=True)
        board = await add(client, path, kind="phone", value="22 00 00 00", label="switchboard")
        mail = await client.post(
            path, json={"kind": "email", "value": "x@example.com", "is_shared": True}
        )
        alien = await client.post(path, json={"kind": "phone", "value": "12"})

    assert (409, kari["id"]) == (refused.status_code, refused.json()["existing_id"])
    assert "is_shared" in refused.json()["detail"]
    assert [False, False] == [shared["is_identifying"], board["is_identifying"]]
    assert [True, False] == [shared["is_primary"], board["is_primary"]]
    assert (422, 422) == (mail.status_code, alien.status_code)


async def test_a_bounce_makes_undeliverable_is_told_once_and_can_be_undone_with_a_reason(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI)
        path = f"/v1/contacts/{kari['id']}/identifiers/{kari['identifiers'][0]['id']}/reachability"
        bounce = {
            "outcome": "hard_bounce",
            "occurred_at": now.isoformat(),
            "source": "mail server",
            "detail": "550 5.1.1",
            "external_id": "m1",
        }
        states = [await add(client, path, **bounce) for _ in range(2)]
        future = await client.post(
            path, json={**bounce, "occurred_at": (now + timedelta(days=1)).isoformat()}
        )
        undone = await add(client, f"{path}/undo", reason="typing error of theirs")
        history = (await client.get(f"/v1/contacts/{kari['id']}/changes")).json()
    await rig.drain()

    assert [("undeliverable", "hard_bounce", 1)] * 2 == [
        (one["reachability"], one["reach_reason"], len(one["evidence"])) for one in states
    ]
    assert (422, True) == (future.status_code, "future" in future.json()["detail"])
    assert "unknown" == undone["reachability"]
    assert undone["evidence"][0]["undone_at"]
    assert "typing error of theirs" in {one["reason"] for one in history}
    cards = {card.version: card.undeliverable for card in rig.items(PersonChangedV1)}
    assert {1: (), 2: ("email",), 3: ()} == cards


async def test_what_became_of_messages_counts_and_proof_decays_by_itself(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI)
        where = f"/v1/contacts/{kari['id']}"
        rig.clock.advance(timedelta(minutes=1))
        told = {"message_id": new_id(), "person_id": UUID(kari["id"])}
        await rig.publish(
            MessageOpenedV1(
                items=(Engagement(engagement_id=new_id(), seen_at=rig.clock.now(), **told),)
            )
        )
        await rig.drain()
        opened = (await client.get(where)).json()["identifiers"][0]["reachability"]
    rig.clock.advance(timedelta(days=366))
    async with write(rig.service.scope) as tx:
        await reach.decay(tx)
    # The first client's token has expired.
    async with rig.client() as client:
        stale = (await client.get(where)).json()["identifiers"][0]["reachability"]
        failed = Settled(
            channel=Channel.EMAIL,
            state=SettledState.FAILED,
            reason="550 5.1.1 user unknown",
            settled_at=rig.clock.now(),
            **told,
        )
        await rig.publish(MessageSettledV1(items=(failed,)))
        await rig.drain()
        bounced = (await client.get(where)).json()["identifiers"][0]["reachability"]

    assert ["reachable", "unknown", "undeliverable"] == [opened, stale, bounced]


def report(rig, person_id, outcome, **more):
    return AddressReportedV1(
        items=(
            AddressReport(
                person_id=person_id, outcome=outcome, occurred_at=rig.clock.now(), channel=Channel.SMS,
                **{"report_id": new_id(), **more},
            ),
        )
    )  # fmt: skip


async def test_what_a_carrier_says_later_counts_for_the_number_until_it_is_taken_back(rig_for):
    rig = await rig_for(SPEC)
    seen = []

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI, phone="+4741234567")
        person_id = UUID(kari["id"])
        rig.clock.advance(timedelta(minutes=1))

        async def tell(*events):
            rig.clock.advance(timedelta(seconds=1))
            await rig.publish(*events)
            await rig.drain()
            found = (await client.get(f"/v1/contacts/{kari['id']}")).json()["identifiers"]
            seen.append({one["kind"]: one["reachability"] for one in found})

        hard = report(rig, person_id, AddressOutcome.HARD_BOUNCE)
        await tell(report(rig, person_id, AddressOutcome.DELIVERED))
        await tell(hard, hard)
        await tell(AddressReportedV1(items=(hard.items[0].model_copy(update={"is_undone": True}),)))
        # Taken back before it was heard of.
        late = report(rig, person_id, AddressOutcome.HARD_BOUNCE)
        await tell(
            AddressReportedV1(items=(late.items[0].model_copy(update={"is_undone": True}),)), late
        )
        await tell(hard.model_copy(update={"items": report(rig, person_id, "hard_bounce").items}))
        reply = Reply(
            reply_id=new_id(), person_id=person_id, channel=Channel.SMS, kind="other",
            received_at=rig.clock.now() + timedelta(seconds=1),
        )  # fmt: skip
        await tell(ReplyReceivedV1(items=(reply,)))

    assert [
        "reachable",
        "undeliverable",
        "reachable",
        "reachable",
        "undeliverable",
        "reachable",
    ] == [one["phone"] for one in seen]
    assert {"unknown"} == {one["email"] for one in seen}


async def test_who_has_died_is_not_contacted_any_more(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI)
        path = f"/v1/contacts/{kari['id']}/identifiers/{kari['identifiers'][0]['id']}/reachability"
        await add(
            client,
            path,
            outcome="deceased",
            occurred_at=rig.clock.now().isoformat(),
            source="relative",
        )
        after = (await client.get(f"/v1/contacts/{kari['id']}")).json()

    assert (True, "undeliverable") == (
        after["do_not_contact"],
        after["identifiers"][0]["reachability"],
    )


def told(*days):
    return [(outcome, NOW - timedelta(days=ago)) for outcome, ago in days]


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ((), "unknown"),
        (((Outcome.OPENED, 1),), "reachable"),
        (((Outcome.OPENED, 400),), "unknown"),
        (((Outcome.HARD_BOUNCE, 900),), "undeliverable"),
        (((Outcome.HARD_BOUNCE, 9), (Outcome.REPLIED, 2)), "reachable"),
        (((Outcome.HARD_BOUNCE, 2), (Outcome.OPENED, 9)), "undeliverable"),
        (((Outcome.SOFT_BOUNCE, 1), (Outcome.SOFT_BOUNCE, 1), (Outcome.SOFT_BOUNCE, 1)), "unknown"),
        (
            ((Outcome.SOFT_BOUNCE, 1), (Outcome.SOFT_BOUNCE, 2), (Outcome.SOFT_BOUNCE, 3)),
            "undeliverable",
        ),
        (
            ((Outcome.SOFT_BOUNCE, 91), (Outcome.SOFT_BOUNCE, 92), (Outcome.SOFT_BOUNCE, 93)),
            "unknown",
        ),
        (
            ((Outcome.SOFT_BOUNCE, 1), (Outcome.SOFT_BOUNCE, 70), (Outcome.SOFT_BOUNCE, 140)),
            "unknown",
        ),
    ],
)
def test_the_state_follows_from_the_evidence(evidence, state):
    assert state == judge(told(*evidence), now=NOW).state


@given(
    st.lists(st.tuples(st.sampled_from(list(Outcome)), st.integers(0, 500)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_telling_changes_nothing_and_the_next_change_is_when_it_is_said(days, random):
    evidence = told(*days)
    shuffled = random.sample(evidence, len(evidence))
    found = judge(evidence, now=NOW)

    assert found == judge(shuffled, now=NOW)
    if found.changes_at is not None:
        assert found.state is judge(evidence, now=found.changes_at - timedelta(seconds=1)).state
        assert found != judge(evidence, now=found.changes_at)
    if evidence and max(evidence, key=lambda one: one[1])[0] in FINAL:
        assert found.state is not Reachability.REACHABLE


def test_a_carriers_answer_is_final_only_when_it_is_about_the_mailbox():
    assert Outcome.HARD_BOUNCE is outcome_of_failure("550 5.1.1 no such user here")
    assert Outcome.SOFT_BOUNCE is outcome_of_failure("452 4.2.2 mailbox full")
    assert Outcome.SOFT_BOUNCE is outcome_of_failure("")
    assert None is outcome_of_failure("554 5.7.1 client host blocked using spamhaus")
    assert None is outcome_of_failure("550 5.1.1 your network is on our block list")
    assert timedelta(days=90) == SOFT_PAUSE


async def test_evidence_of_a_year_that_no_calendar_of_ours_has_is_refused(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        kari = await add(client, "/v1/contacts", **KARI)
        path = f"/v1/contacts/{kari['id']}/identifiers/{kari['identifiers'][0]['id']}"
        early = await client.post(
            f"{path}/reachability",
            json={"outcome": "opened", "occurred_at": "0001-01-02T00:00:00+14:00", "source": "x"},
        )

    assert 422 == early.status_code
    assert "before 1990" in early.json()["detail"]
