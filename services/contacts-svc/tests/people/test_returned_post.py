"""Post that came back is evidence at the address to which it went, and says where people have moved."""

from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from kantis_contracts.orders import PostKind, PostReason, PostReturned, PostReturnedV1
from kantis_contracts.values import PostalAddress
from kantis_kit.ids import new_id

HOME = {"street": "Storgata 9", "postal_code": "0155", "city": "Oslo"}


@pytest.fixture
async def house(rig_for):
    """A register with somebody who lives somewhere."""
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await client.post(
            "/v1/contacts",
            json={"full_name": "Kari Ødegård", "email": "kari@example.com", "address": HOME},
        )
        rig.kari, rig.http = made.json()["id"], client
        yield rig


async def tell(rig, reason, *, times=1, **more):
    given = {"code": "C", "kind": PostKind.LETTER, "person_id": rig.kari, **more}
    piece = PostReturned(
        **{"return_id": new_id(), "came_at": rig.clock.now(), "reason": reason, **given}
    )
    for _ in range(times):
        await rig.publish(PostReturnedV1(items=(piece,)))
    await rig.drain()


async def addresses(rig):
    answer = await rig.http.get(f"/v1/contacts/{rig.kari}/addresses")
    assert 200 == answer.status_code, answer.text
    found = answer.json()
    return found["items"] if isinstance(found, dict) else found


@pytest.mark.parametrize(
    ("reason", "state", "because"),
    [
        (PostReason.MOVED, "undeliverable", "moved"),
        (PostReason.NO_SUCH_STREET, "undeliverable", "unknown_address"),
        (PostReason.REFUSED, "undeliverable", "refused"),
        (PostReason.CHANGED_EMPLOYER, "undeliverable", "left_employer"),
        (PostReason.BOX_FULL, "unknown", ""),
    ],
)
async def test_a_piece_that_came_back_counts_once_at_the_address_in_use(
    house, reason, state, because
):
    await tell(house, reason, times=3)

    (home,) = await addresses(house)
    assert (state, because) == (home["reachability"], home["reach_reason"])


async def test_who_is_dead_gets_nothing_any_more(house):
    await tell(house, PostReason.DEAD)

    card = (await house.http.get(f"/v1/contacts/{house.kari}")).json()
    assert card["do_not_contact"]


async def test_the_new_address_of_the_post_is_in_use_and_the_old_one_is_not_tried_again(house):
    new = PostalAddress(street="Parkveien 2", postal_code="0350", city="Oslo")

    for _ in range(2):
        await tell(house, PostReason.MOVED, new_address=new)

    found = {one["street"]: one for one in await addresses(house)}
    assert {"Storgata 9", "Parkveien 2"} == set(found)
    assert "undeliverable" == found["Storgata 9"]["reachability"]
    assert (
        "Parkveien 2"
        == (await house.http.get(f"/v1/contacts/{house.kari}")).json()["address"]["street"]
    )


async def test_what_says_nothing_of_this_address_changes_nothing(house):
    unread = PostalAddress(street="Parkveien 2", postal_code="0000", city="Oslo")
    before = house.clock.now() - timedelta(days=9)

    await tell(house, PostReason.MOVED, came_at=before)
    await tell(house, PostReason.MOVED, person_id=new_id())
    await tell(house, PostReason.MOVED, person_id=None)
    await tell(house, PostReason.BOX_FULL, new_address=unread)

    assert {("unknown", "Storgata 9")} == {
        (one["reachability"], one["street"]) for one in await addresses(house)
    }
    assert [] == await house.parked()
