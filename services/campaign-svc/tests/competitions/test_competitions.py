"""Winners are drawn by what was promised before, and anybody can draw once more."""

from datetime import timedelta
from hashlib import sha256

import pytest

from campaign_svc.competitions.drawing import ranked
from campaign_svc.main import SPEC
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_kit.ids import new_id


@pytest.fixture
async def raffle(rig_for):
    """A rig, how to call it, and an open competition with six entries."""
    rig = await rig_for(SPEC)

    async def call(method, path="", **more):
        async with rig.client() as client:
            return await client.request(method, f"/v1/competitions{path}", **more)

    body = {
        "name": "Summer", "prizes": 2, "is_for_members": False, "beacon_source": "Lotto of 1 July",
        "closes_at": f"{rig.clock.now() + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    made = (await call("POST", json=body)).json()
    people = [new_id() for _ in range(6)]
    for one in people:
        entered = await call("POST", f"/{made['id']}/entries", json={"person_id": str(one)})
        assert 201 == entered.status_code
    return rig, call, made, people


async def test_anybody_draws_the_same_winners_from_the_proof(raffle):
    rig, call, made, people = raffle
    rig.clock.advance(timedelta(hours=1))
    drawn = (await call("POST", f"/{made['id']}/draw", json={"beacon": "4-8-15"})).json()
    again = (await call("POST", f"/{made['id']}/draw", json={"beacon": "16-23-42"})).json()
    proof = (await call("GET", f"/{made['id']}/proof")).json()

    assert "seed" not in made
    assert made["commitment"] == proof["commitment"] == sha256(proof["seed"].encode()).hexdigest()
    listed = sha256("\n".join(sorted(proof["tickets"])).encode()).hexdigest()
    mine = sorted(
        proof["tickets"],
        key=lambda one: sha256(f"{proof['seed']}:4-8-15:{listed}:{one}".encode()).hexdigest(),
    )
    assert (mine[:2], listed) == (proof["winners"], proof["list_digest"])
    assert drawn == again
    assert [1, 2] == [one["rank"] for one in drawn]
    assert {one["person_id"] for one in drawn} <= {str(one) for one in people}
    assert not any(str(one) in f"{proof}" for one in people)


async def test_nothing_is_drawn_before_the_end_or_without_the_number_and_nobody_enters_after_it(
    raffle,
):
    rig, call, made, people = raffle
    early = await call("POST", f"/{made['id']}/draw", json={"beacon": "4"})
    secret = await call("GET", f"/{made['id']}/proof")
    rig.clock.advance(timedelta(hours=1))
    without = await call("POST", f"/{made['id']}/draw", json={})
    late = await call("POST", f"/{made['id']}/entries", json={"person_id": str(new_id())})
    kept = await call("POST", f"/{made['id']}/entries", json={"person_id": str(people[0])})

    slugs = [one.json()["type"].rsplit(":", 1)[-1] for one in (early, secret, without, late)]
    assert ["competition-runs", "competition-runs", "beacon-missing", "competition-over"] == slugs
    assert "Lotto of 1 July" in without.json()["detail"]
    assert 201 == kept.status_code  # whoever has entered is told the ticket again


async def test_one_for_members_takes_members_and_one_that_has_ended_already_is_refused(raffle):
    rig, call, _, _ = raffle
    body = {
        "name": "A",
        "prizes": 1,
        "closes_at": f"{rig.clock.now() + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    made = (await call("POST", json=body)).json()
    stranger = await call("POST", f"/{made['id']}/entries", json={"person_id": str(new_id())})
    past = await call("POST", json={**body, "closes_at": "2020-01-01T00:00:00Z"})
    assert [409, 422] == [stranger.status_code, past.status_code]


async def test_a_winner_who_is_forgotten_leaves_the_ticket_and_the_draw_stands(raffle):
    rig, call, made, people = raffle
    request = ErasureRequest(
        erasure_id=new_id(), person_ids=tuple(people), requested_at=rig.clock.now()
    )
    await rig.publish(ErasureRequestedV1(items=(request,)))
    await rig.drain()
    rig.clock.advance(timedelta(hours=1))
    drawn = (await call("POST", f"/{made['id']}/draw", json={"beacon": "4"})).json()
    proof = (await call("GET", f"/{made['id']}/proof")).json()
    assert [None, None] == [one["person_id"] for one in drawn]
    assert 6 == len(proof["tickets"])


def test_one_more_ticket_and_another_number_change_who_wins():
    tickets = [f"T{n}" for n in range(50)]
    one = ranked("seed", "1", tickets)
    assert one == ranked("seed", "1", reversed(tickets))
    assert one != [ticket for ticket in ranked("seed", "1", [*tickets, "T50"]) if ticket != "T50"]
    assert one != ranked("seed", "2", tickets)
