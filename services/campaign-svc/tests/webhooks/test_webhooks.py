"""Rules tell other systems: signed, once, each person's in order, again after a failure, and never inside the house."""

import json
from datetime import timedelta

import pytest

from campaign_svc.actions.model import Asker, Target, step_id
from campaign_svc.actions.schemas import ACTION, AskerKind
from campaign_svc.actions.usecases import act
from campaign_svc.main import SPEC
from campaign_svc.webhooks.jobs import send_due
from kantis_kit import webhooks
from kantis_kit.ids import new_id
from kantis_kit.networks import networks
from kantis_kit.testing.http import Answer, HttpSink
from kantis_kit.tx import write

ASKER = Asker(AskerKind.RULE, new_id(), "Klager", 3)
LOOPBACK = ["127.0.0.0/8"]


class Crm:
    """Another system, whose answers the test decides."""

    def __init__(self):
        self.status = 200
        self.sink = HttpSink(answer=lambda _: Answer(self.status))

    def heard(self):
        """Return of whom it has heard, in order, with the facts."""
        bodies = [json.loads(one.body)["data"] for one in self.sink.requests]
        return [(one["person_id"], one["facts"]["n"]) for one in bodies]


class Desk:
    """The service without its loop, and its webhook; each attempt is made when the test says so."""

    def __init__(self, rig, crm):
        self.rig, self.crm = rig, crm
        self.sender = webhooks.Sender(clock=rig.clock, allowed=networks(LOOPBACK))
        self.made = {}

    async def call(self, method, path="", *, status=200, **more):
        async with self.rig.client() as client:
            answer = await client.request(method, f"/v1/webhooks{path}", **more)
        assert status == answer.status_code, answer.text
        return answer.json() if answer.content else None

    async def tell(self, person_id, n):
        one = Target(person_id, step_id(ASKER, person_id, n), ["mer enn tre"], {"n": n})
        action = ACTION.validate_python({"kind": "webhook", "webhook_id": self.made["id"]})
        async with write(self.rig.service.scope, actor="test") as tx:
            await act(tx, ASKER, action, [one])

    async def tries(self):
        return await send_due(self.rig.service, self.sender)

    async def states(self):
        page = await self.call("GET", f"/{self.made['id']}/deliveries")
        return [one["state"] for one in sorted(page["items"], key=lambda one: one["number"])]


@pytest.fixture
async def desk(rig_for):
    from dataclasses import replace

    crm = Crm()
    settings = {"campaign": {"webhook_networks": LOOPBACK}}
    rig = await rig_for(replace(SPEC, loops=()), settings=settings)
    async with crm.sink:
        desk = Desk(rig, crm)
        body = {"name": "CRM", "url": f"{crm.sink.url}/hook"}
        desk.made = await desk.call("POST", status=201, json=body)
        yield desk
        await desk.sender.close()


async def test_what_a_rule_does_is_told_once_signed_with_the_reasons_and_the_step_is_done(desk):
    kari = new_id()
    await desk.tell(kari, "1")
    await desk.tell(kari, "1")

    assert [1, 0] == [await desk.tries(), await desk.tries()]
    [sent] = desk.crm.sink.requests
    data = json.loads(sent.body)["data"]
    headers = {name.lower(): value for name, value in sent.headers.items()}
    target = webhooks.Target("", desk.made["key_id"], desk.made["secret"])
    at = int(headers["webhook-timestamp"])
    wanted = webhooks.headers_for(target, headers["webhook-id"], at, sent.body)
    assert wanted["webhook-signature"] == headers["webhook-signature"]
    assert (str(kari), ["mer enn tre"], "Klager") == (
        data["person_id"], data["because"], data["asker"]["name"],
    )  # fmt: skip
    async with desk.rig.client() as client:
        [step] = (await client.get("/v1/steps", params={"person_id": str(kari)})).json()["items"]
    assert ("done", data["step_id"]) == (step["state"], headers["webhook-id"])


async def test_a_failure_is_tried_again_later_and_holds_that_persons_later_ones_alone(desk):
    kari, ola = new_id(), new_id()
    await desk.tell(kari, "1")
    desk.crm.status = 500
    await desk.tries()
    await desk.tell(kari, "2")
    await desk.tell(ola, "3")
    desk.crm.status = 200

    early = await desk.tries()
    desk.rig.clock.advance(timedelta(seconds=6))
    late = [await desk.tries(), await desk.tries(), await desk.tries()]

    assert (1, [1, 1, 0]) == (early, late)
    assert [
        (str(kari), "1"),
        (str(ola), "3"),
        (str(kari), "1"),
        (str(kari), "2"),
    ] == desk.crm.heard()


async def test_what_is_never_taken_is_parked_and_replayed_or_dropped_by_a_person(desk):
    kari = new_id()
    await desk.tell(kari, "1")
    await desk.tell(kari, "2")
    desk.crm.status = 503
    for pause in (*webhooks.PAUSES, timedelta(0)):
        await desk.tries()
        desk.rig.clock.advance(pause + timedelta(minutes=1))
    parked = await desk.states()
    shown = await desk.call("GET", f"/{desk.made['id']}")
    desk.crm.status = 200
    idle = await desk.tries()
    replayed = await desk.call("POST", f"/{desk.made['id']}/replays", json={})
    again = [await desk.tries(), await desk.tries()]

    assert ["parked", "waiting"] == parked
    assert (1, 1, 0) == (shown["parked"], shown["waiting"], idle)
    assert ({"deliveries": 1}, [1, 1]) == (replayed, again)
    assert ["done", "done"] == await desk.states()

    await desk.tell(kari, "4")
    await desk.tell(kari, "5")
    desk.crm.status = 410  # gone: asked no more
    await desk.tries()
    desk.crm.status = 200
    dropped = await desk.call("POST", f"/{desk.made['id']}/drops", json={})
    await desk.tries()
    assert {"deliveries": 1} == dropped
    assert ["done", "done", "dropped", "done"] == await desk.states()


async def test_a_secret_is_shown_once_and_can_be_renewed(desk):
    body = {"name": "ERP", "url": f"{desk.crm.sink.url}/erp"}
    key = {"Idempotency-Key": "same"}
    first = await desk.call("POST", status=201, json=body, headers=key)
    again = await desk.call("POST", status=201, json=body, headers=key)
    renewed = await desk.call("POST", f"/{first['id']}/secret")
    shown = await desk.call("GET")
    pool = await desk.rig.service.database.pool()
    kept = await pool.fetch("SELECT * FROM webhook")

    assert (first["id"], None) == (again["id"], again["secret"])
    assert first["secret"].startswith("whsec_")
    assert renewed["key_id"] != first["key_id"]
    for secret in (first["secret"], renewed["secret"]):
        assert secret not in str(shown)
        assert secret.removeprefix("whsec_").encode() not in b"".join(row["sealed"] for row in kept)


async def test_a_closed_webhook_is_told_nothing_and_no_rule_can_name_it(desk):
    kari = new_id()
    await desk.tell(kari, "1")
    await desk.call("DELETE", f"/{desk.made['id']}", status=204)
    await desk.tell(kari, "2")
    tried = await desk.tries()
    rule = {
        "name": "R", "on": {"type": "context"},
        "action": {"kind": "webhook", "webhook_id": desk.made["id"]},
    }  # fmt: skip
    async with desk.rig.client() as client:
        refused = await client.post("/v1/rules", json=rule)
        steps = (await client.get("/v1/steps", params={"person_id": str(kari)})).json()["items"]

    assert (0, ["dropped"]) == (tried, await desk.states())
    assert {"failed"} == {one["state"] for one in steps}
    assert (409, "action-not-available") == (
        refused.status_code, refused.json()["type"].rpartition(":")[2],
    )  # fmt: skip


@pytest.mark.parametrize("url", ["https://10.1.2.3/", "http://example.com/", "https://localhost/"])
async def test_an_address_inside_or_in_the_clear_is_refused(desk, url):
    refused = await desk.call("POST", status=422, json={"name": "X", "url": url})

    assert "webhook-target-refused" in refused["type"]
    assert "url: " in refused["detail"]
