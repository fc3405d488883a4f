"""An erasure is over when every service has said so; who does not is asked again."""

from datetime import timedelta
from uuid import UUID

from contacts_svc.base import Base
from contacts_svc.main import SPEC
from contacts_svc.privacy.inside import DERIVED, KEPT, doomed
from contacts_svc.privacy.ledger import NAME
from contacts_svc.privacy.model import SERVICES, pause_after
from kantis_contracts.analytics import AnalyticsErasureCompletedV1
from kantis_contracts.campaign import CampaignErasureCompletedV1
from kantis_contracts.contacts.privacy import ErasureRequestedV1
from kantis_contracts.gateway import GatewayErasureCompletedV1
from kantis_contracts.messaging import MessagingErasureCompletedV1
from kantis_contracts.orders import OrdersErasureCompletedV1
from kantis_contracts.privacy import ErasureReceipt, Kept
from kantis_kit.ids import new_id

KARI = {"full_name": "Kari Ødegård", "email": "kari@example.com", "phone": "+4741234567"}
RECEIPTS = {
    "analytics": AnalyticsErasureCompletedV1,
    "campaign": CampaignErasureCompletedV1,
    "gateway": GatewayErasureCompletedV1,
    "messaging": MessagingErasureCompletedV1,
    "orders": OrdersErasureCompletedV1,
}


async def make(client, **given):
    answer = await client.post("/v1/contacts", json={**KARI, **given})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def erased(client, person):
    answer = await client.delete(f"/v1/contacts/{person}")
    assert answer.status_code == 204, answer.text
    return answer.headers["location"]


def receipt(rig, place, **given):
    erasure_id = UUID(place.rsplit("/", 1)[1])
    return ErasureReceipt(erasure_id=erasure_id, done_at=rig.clock.now(), **given)


def states(told):
    return {one["service"]: one["state"] for one in told["services"]}


async def test_every_service_is_asked_and_the_erasure_is_done_when_all_have_answered(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = await make(client)
        again = await make(client, email="k@work.example.com", phone="+4741234599")
        await client.post("/v1/merges", json={"known_id": kari, "merged_id": again})
        place = await erased(client, kari)
        await rig.drain()
        (asked,) = rig.items(ErasureRequestedV1)
        waiting = (await client.get(place)).json()

        kept = Kept(kind="invoice", rows=2, reason="bookkeeping law")
        for name, event in RECEIPTS.items():
            one = receipt(rig, place, removed={"row": 3}, kept=(kept,) if name == "orders" else ())
            await rig.publish(event(items=(one,)))
        await rig.drain()
        done = (await client.get(place)).json()
        listed = (await client.get("/v1/privacy/erasures?is_open=true")).json()["items"]
        unknown = await client.get(f"/v1/privacy/erasures/{new_id()}")

    assert {kari, again} == set(map(str, asked.person_ids))
    assert 4 == len(asked.address_hashes)
    assert "kari" not in asked.model_dump_json()
    assert "running" == waiting["state"]
    assert {"contacts": "done"} | dict.fromkeys(SERVICES, "asked") == states(waiting)
    assert "done" == done["state"]
    assert [again] == done["merged_ids"]
    assert ("orders", {"row": 3}) == (
        done["services"][-1]["service"],
        done["services"][-1]["removed"],
    )
    assert "bookkeeping law" == done["services"][-1]["kept"][0]["reason"]
    assert done["services"][0]["removed"]["identifier"] == 4
    assert ([], 404) == (listed, unknown.status_code)


async def test_who_does_not_answer_is_overdue_and_asked_again_after_longer_and_longer_pauses(
    rig_for,
):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        place = await erased(client, await make(client))
        for name in ("analytics", "campaign", "gateway", "messaging"):
            await rig.publish(RECEIPTS[name](items=(receipt(rig, place),)))
        await rig.drain()
        asks = []
        for pause in (pause_after(1), pause_after(2), pause_after(3)):
            rig.clock.advance(pause - timedelta(seconds=1))
            await rig.drain()
            before = len(rig.published(ErasureRequestedV1))
            rig.clock.advance(timedelta(seconds=2))
            await rig.drain()
            asks.append(rig.published(ErasureRequestedV1)[before:])
    async with rig.client() as client:  # whose token is of this hour
        told = (await client.get(place)).json()
        await rig.publish(OrdersErasureCompletedV1(items=(receipt(rig, place),)))
        await rig.drain()
        done = (await client.get(place)).json()

    ours = [[one for one in some if not one.is_reminder] for some in asks]
    assert [[("orders",)]] * 3 == [[one.services for one in some] for some in ours]
    assert pause_after(1) < pause_after(2) < pause_after(3) <= pause_after(40)
    assert ("overdue", "overdue") == (told["state"], states(told)["orders"])
    assert "done" == done["state"]


async def test_a_replay_asks_everybody_again_also_for_whom_the_database_never_heard_of(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        place = await erased(client, await make(client))
        await rig.publish(OrdersErasureCompletedV1(items=(receipt(rig, place),)))
        await rig.drain()
        pool = await rig.service.database.pool()
        await pool.execute("DELETE FROM erasure_receipt")
        await pool.execute("DELETE FROM erasure")
        await pool.execute("DELETE FROM person WHERE is_erased")
        before = len(rig.items(ErasureRequestedV1))

        await client.post("/v1/contacts/erasures/replay")
        await rig.drain()
        told = (await client.get(place)).json()

    asked = rig.items(ErasureRequestedV1)[before:]
    assert {UUID(place.rsplit("/", 1)[1])} == {one.erasure_id for one in asked}
    assert dict.fromkeys(SERVICES, "asked") | {"contacts": "done"} == states(told)
    assert (rig.data_dir / NAME).read_bytes().count(b"\n") >= 1


async def test_a_file_with_the_person_is_withdrawn_and_rows_that_were_refused_are_emptied(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = await make(client)
        sheet = f"name,email\nX,not {KARI['email']}@\nY,not other@example.com@\n"
        await client.post("/v1/imports", content=sheet, headers={"Content-Type": "text/csv"})
        made = await client.post("/v1/exports", json={"name": "all"})
        book = await client.post("/v1/exports", json={"name": "all", "kind": "xlsx"})
        await rig.drain()
        place = await erased(client, kari)
        await rig.drain()
        shown = (await client.get(f"/v1/exports/{made.json()['id']}")).json()
        told = (await client.get(place)).json()["services"][0]["removed"]
    assert book.is_success
    assert "forgotten" == shown["state"]
    assert 1 == told["import_reject"]
    pool = await rig.service.database.pool()
    rejects = [row["cells"] for row in await pool.fetch("SELECT cells::text FROM import_reject")]
    assert [False, True] == sorted("other@example.com" in cells for cells in rejects)
    left = [
        path
        for path in rig.data_dir.rglob("*")
        if path.is_file() and b"kari@example.com" in path.read_bytes()
    ]
    assert [] == left


def test_every_table_that_names_a_person_has_a_fate():
    named = {name for name, table in Base.metadata.tables.items() if "person_id" in table.c}
    assert named == {*doomed(), *KEPT, *DERIVED}
    assert set(doomed()).isdisjoint({*KEPT, *DERIVED})
