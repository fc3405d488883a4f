"""How long data is kept is decided here for every service, within what the law bounds."""

from datetime import timedelta

from contacts_svc.main import SPEC
from contacts_svc.privacy.kinds import BY_NAME
from contacts_svc.privacy.retention import RULES
from kantis_contracts.contacts.privacy import RetentionChangedV1
from kantis_kit.testing.waiting import eventually

KARI = {"full_name": "Kari Ødegård", "email": "kari@example.com"}


async def test_periods_have_reasons_and_bounds_and_every_service_is_told(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        before = (await client.get("/v1/privacy/retention")).json()
        wanted = [
            {"kind": "contacts.interaction", "days": 60},
            {"kind": "orders.response", "days": 90},
        ]
        changed = await client.put("/v1/privacy/retention", json={"periods": wanted})
        refused = [
            await client.put(
                "/v1/privacy/retention", json={"periods": [{"kind": kind, "days": days}]}
            )
            for kind, days in (
                ("orders.invoice", 30),
                ("contacts.nothing", 30),
                ("orders.response", 1),
            )
        ]
        await rig.drain()
    async with rig.client(scopes=["contacts:read"]) as reader:
        forbidden = await reader.put("/v1/privacy/retention", json={"periods": wanted})

    assert all(one["reason"] and one["what"] for one in before["periods"])
    assert "bookkeeping law" in before["fixed"]["orders.invoice"]
    days = {one["kind"]: one["days"] for one in changed.json()["periods"]}
    assert (60, 90) == (days["contacts.interaction"], days["orders.response"])
    assert [422, 422, 422] == [one.status_code for one in refused]
    assert "bookkeeping law" in refused[0].json()["detail"]
    assert 403 == forbidden.status_code
    told = {one.kind: one.days for one in rig.items(RetentionChangedV1)}
    assert {"contacts.interaction": 60, "orders.response": 90} == told


async def test_what_is_older_than_it_may_be_goes_in_the_night(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = (await client.post("/v1/contacts", json=KARI)).json()["id"]
        now = rig.clock.now()
        for age, text in ((100, "old"), (10, "young")):
            one = {
                "contact_id": kari,
                "kind": "call",
                "text": text,
                "occurred_at": (now - timedelta(days=age)).isoformat(),
            }
            assert (await client.post("/v1/interactions", json={"items": [one]})).is_success
        periods = {"periods": [{"kind": "contacts.interaction", "days": 60}]}
        await client.put("/v1/privacy/retention", json=periods)
    pool = await rig.service.database.pool()
    rig.clock.advance(timedelta(days=1))

    async def is_done():
        return 1 == await pool.fetchval("SELECT count(*) FROM interaction")

    await eventually(is_done, message="what is old is still there")
    assert "young" == await pool.fetchval("SELECT text FROM interaction")


def test_the_rules_of_contacts_are_those_that_are_told():
    assert {one.kind: one.days for one in RULES} == {
        name: kind.days
        for name, kind in BY_NAME.items()
        if name.startswith("contacts.") and not name.endswith("message_parked")
    }
