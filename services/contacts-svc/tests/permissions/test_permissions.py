"""The permission ledger."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.main import SPEC
from contacts_svc.permissions import usecases
from contacts_svc.permissions.model import Statement, next_state
from kantis_contracts.contacts import PermissionChangedV1, PermissionState
from kantis_contracts.messaging import PermissionWithdrawnV1, Withdrawal
from kantis_contracts.values import Channel, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from kantis_kit.tx import write

YES = {
    "channel": "email",
    "purpose": "newsletter",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes, please",
    "text_version": "3",
}


async def make_person(client, **changes):
    body = {"full_name": "Kari", "email": "kari@example.com", **changes}
    return (await client.post("/v1/contacts", json=body)).json()["id"]


async def test_what_was_said_is_proved_and_what_follows_is_told(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client(caller="anna") as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        rig.clock.advance(timedelta(minutes=1))
        now = await client.post(
            f"/v1/contacts/{person}/permissions", json={**YES, "state": "withdrawn"}
        )
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()
    await rig.drain()

    assert [("withdrawn", 2)] == [(one["state"], one["version"]) for one in now.json()]
    assert [("granted", "Yes, please", "3", "anna"), ("withdrawn", "Yes, please", "3", "anna")] == [
        (one["state"], one["text_shown"], one["text_version"], one["actor"]) for one in proof
    ]
    told = sorted(rig.items(PermissionChangedV1), key=lambda one: one.version)
    assert [(1, "granted"), (2, "withdrawn")] == [(one.version, one.state) for one in told]


async def test_a_yes_without_its_words_and_one_from_the_future_are_refused(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        person = await make_person(client)
        path = f"/v1/contacts/{person}/permissions"
        silent = await client.post(path, json={**YES, "text_shown": ""})
        early = await client.post(path, json={**YES, "occurred_at": "2099-01-01T00:00:00Z"})
        nobody = await client.post(f"/v1/contacts/{new_id()}/permissions", json=YES)
        proof = await client.get(f"{path}/proof")

    assert [422, 422, 404] == [silent.status_code, early.status_code, nobody.status_code]
    assert [] == proof.json()


async def test_nobody_changes_the_ledger(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    pool = await rig.service.database.pool()

    for statement in (
        "UPDATE permission_ledger SET state = 'granted'",
        "DELETE FROM permission_ledger",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


async def test_a_withdrawal_is_entered_once_and_an_old_one_does_not_undo_a_newer_yes(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client)
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    old = Withdrawal(
        withdrawal_id=new_id(),
        person_id=UUID(person),
        channel=Channel.EMAIL,
        purpose=Purpose.NEWSLETTER,
        source="page",
        withdrawn_at=rig.clock.now() - timedelta(days=1),
    )
    new = old.model_copy(
        update={"withdrawal_id": new_id(), "withdrawn_at": rig.clock.now() + timedelta(minutes=1)}
    )

    await rig.publish(PermissionWithdrawnV1(items=(old, old)))
    await rig.drain()
    async with rig.client() as client:
        before = (await client.get(f"/v1/contacts/{person}/permissions")).json()
    await rig.publish(PermissionWithdrawnV1(items=(new,)), PermissionWithdrawnV1(items=(new,)))
    await rig.drain()
    async with rig.client() as client:
        after = (await client.get(f"/v1/contacts/{person}/permissions")).json()
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()

    assert ["granted"] == [one["state"] for one in before]
    assert ["withdrawn"] == [one["state"] for one in after]
    assert ["granted", "withdrawn", "withdrawn"] == [one["state"] for one in proof]


async def test_a_withdrawal_without_a_purpose_is_one_for_every_purpose(rig_for):
    rig = await rig_for(SPEC)
    stranger = new_id()  # messaging-svc may know somebody before we do: a no is never lost
    no = Withdrawal(
        withdrawal_id=new_id(),
        person_id=stranger,
        channel=Channel.SMS,
        source="reply",
        withdrawn_at=rig.clock.now(),
    )

    await rig.publish(PermissionWithdrawnV1(items=(no,)))
    await rig.drain()

    assert set(Purpose) == {one.purpose for one in rig.items(PermissionChangedV1)}


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SAID = st.lists(
    st.tuples(st.sampled_from(PermissionState), st.integers(0, 4)), min_size=1, max_size=12
)


@given(SAID)
def test_the_newest_no_counts_in_whatever_order_entries_arrive(said):
    now = None
    for state, minute in said:
        now = next_state(now, state, BEGIN + timedelta(minutes=minute))

    newest_no = max(
        (minute for state, minute in said if state is PermissionState.WITHDRAWN), default=-1
    )
    newest_yes = max(
        (minute for state, minute in said if state is PermissionState.GRANTED), default=-1
    )
    assert now is not None
    if newest_no >= newest_yes and newest_no >= 0:
        assert now[0] is not PermissionState.GRANTED


async def test_the_database_follows_the_rule_of_the_model(rig_for):
    rig = await rig_for(SPEC, start=False)
    states = list(PermissionState)
    # Every sequence of three entries over three moments, one person each.
    entries = [(s, m) for s in states for m in range(3)]
    sequences = [(a, b, c) for a in entries for b in entries for c in entries]
    people = [new_id() for _ in sequences]

    async with write(rig.service.scope) as tx:
        for place in range(3):
            await usecases.record(
                tx,
                [
                    Statement(
                        person,
                        Channel.EMAIL,
                        Purpose.OFFERS,
                        sequence[place][0],
                        "test",
                        BEGIN + timedelta(minutes=sequence[place][1]),
                    )
                    for person, sequence in zip(people, sequences, strict=True)
                ],
            )
    pool = await rig.service.database.pool()
    found = {row["person_id"]: row for row in await pool.fetch("SELECT * FROM permission_state")}

    for person, sequence in zip(people, sequences, strict=True):
        now = None
        for state, minute in sequence:
            now = next_state(now, state, BEGIN + timedelta(minutes=minute))
        assert now == (found[person]["state"], found[person]["occurred_at"]), sequence
        assert 3 == found[person]["version"]


async def test_the_preference_page_shows_and_changes_what_a_person_allows(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        person = await make_person(client, language="sv")
        await client.post(f"/v1/contacts/{person}/permissions", json=YES)
    rig.clock.advance(timedelta(minutes=1))
    token = rig.service.scope.extras[LinkSigner].make("preferences", UUID(person).bytes)
    other = rig.service.scope.extras[LinkSigner].make("confirm", UUID(person).bytes)

    async with rig.anonymous() as visitor:
        shown = await visitor.get(f"/p/preferences/{token}")
        await rig.drain()
        told_by_looking = len(rig.items(PermissionChangedV1))
        held = rig.service.scope.extras[LinkSigner].make("held", UUID(person).bytes)
        address = f"/p/preferences/{token}?held={held}"
        saved = await visitor.post(address, data={"email.offers": "yes"})
        again = await visitor.post(address, data={"email.offers": "yes"})
        forged = await visitor.get(f"/p/preferences/{other}")
        strange = await visitor.post(f"/p/preferences/{token}x", data={})
    await rig.drain()

    assert 1 == told_by_looking
    assert '<html lang="sv">' in shown.text
    assert 'name="email.newsletter" value="yes" checked' in shown.text
    assert (303, 303, 404, 404) == (
        saved.status_code,
        again.status_code,
        forged.status_code,
        strange.status_code,
    )
    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{person}/permissions")).json()
        proof = (await client.get(f"/v1/contacts/{person}/permissions/proof")).json()
    assert {("newsletter", "withdrawn"), ("offers", "granted")} == {
        (one["purpose"], one["state"]) for one in now
    }
    assert 3 == len(proof)
    assert (
        "Erbjudanden via e-post" == proof[-1]["text_shown"]
        or "Erbjudanden via e-post" == proof[-2]["text_shown"]
    )
