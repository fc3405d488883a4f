"""Leads that wait in the spool do not outlive the wish to be forgotten."""

import hashlib
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from gateway.main import SPEC
from gateway.privacy.usecases import addresses_in
from gateway.spool.model import Spooled
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.gateway import GatewayErasureCompletedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import write


def lead(rig, body, **given):
    now = rig.clock.now()
    return Spooled(
        **{
            "id": new_id(), "path": "/f/autumn", "query": "", "headers": [], "body": body,
            "idempotency_key": str(new_id()), "correlation_id": None, "received_at": now,
            "next_at": now + timedelta(days=1), **given,
        }
    )  # fmt: skip


def erasure(rig, *values):
    hashes = tuple(hashlib.sha256(f"salt{value}".encode()).hexdigest() for value in values)
    item = ErasureRequest(
        erasure_id=new_id(),
        person_ids=(new_id(),),
        requested_at=rig.clock.now(),
        salt="salt",
        address_hashes=hashes,
    )
    return ErasureRequestedV1(items=(item,))


async def test_waiting_leads_of_the_forgotten_go_and_those_of_others_and_later_ones_stay(rig_for):
    rig = await rig_for(SPEC)
    form = urlencode({"name": "Kari", "email": "Kari+x@Example.com"}).encode()
    json = b'{"full_name": "K", "phone": "+47 412 34 567"}'
    other = b'{"email": "per@example.com", "phone": "+4799999999"}'
    later = rig.clock.now() + timedelta(minutes=1)
    async with write(rig.service.scope) as tx:
        tx.add_all([lead(rig, form), lead(rig, json), lead(rig, other)])
        tx.add(lead(rig, form, received_at=later))

    await rig.publish(erasure(rig, "kari+x@example.com", "41234567"))
    await rig.drain()

    pool = await rig.service.database.pool()
    left = [row["body"] for row in await pool.fetch("SELECT body FROM spool ORDER BY id")]
    assert [other, form] == left
    (receipt,) = rig.items(GatewayErasureCompletedV1)
    assert ({"lead_waiting": 2}, ()) == (receipt.removed, receipt.kept)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"email=a%40b.no&phone=%2B47+412+34+567", {"a@b.no", "41234567"}),
        (b'{"email":"A@B.no","phone":"(47) 412-34-567"}', {"a@b.no", "41234567"}),
        (b"\xff\xfe nothing 123", set()),
    ],
)
def test_addresses_are_found_in_whatever_way_a_lead_was_posted(body, found):
    assert found == addresses_in(body)
