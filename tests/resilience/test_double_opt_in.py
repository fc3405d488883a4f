"""Double opt-in through every step at which a process can die: nobody is advertised to before they have said yes.

A question goes from the form over the outbox to the mailbox, and the yes back the same way to where messages are sent. At each
step somebody's question, or yes, meets a crash; advertising is tried for all of them before and after.
"""

import re
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_string, policy
from uuid import UUID

import pytest

from contacts_svc.main import SPEC as CONTACTS
from kantis_contracts.campaign import Piece, PieceReleasedV1
from kantis_contracts.contacts import ConfirmationRequestedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC as MESSAGING

TEXT = "Ja, send meg tilbud på e-post."
FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "purposes": ["offers"],
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "7", "text": TEXT}},
    "default_language": "nb",
}
TEMPLATE = {
    "name": "Høst",
    "languages": {"nb": {"subject": "Tilbud", "html": "<html><body><p>Hei</p></body></html>"}},
}
STORING = ("tx.before_commit", "tx.after_commit")
CARRYING = (
    "relay.claimed", "relay.published", "consumer.before_commit", "consumer.after_commit", "consumer.before_ack",
)  # fmt: skip
MAILING = (
    "dispatch.after_claim", "dispatch.after_rcpt", "dispatch.before_data", "dispatch.after_dot",
    "dispatch.after_answer",
)  # fmt: skip


class Desk:
    """Both services, a mail server, and somebody at the form for each step."""

    def __init__(self, rig, sink, template_id):
        self.rig = rig
        self.sink = sink
        self.template_id = template_id
        self.people = {}

    @asynccontextmanager
    async def dying(self, point):
        """Let the first who passes a point die there; what they held is given back, as time would do it."""
        died = []
        failpoints.on(point, lambda: died.append(point))
        failpoints.arm(point, "raise", nth=1)
        yield
        await eventually(lambda: died, message=f"nobody passed {point}")
        for service in self.rig.services.values():
            pool = await service.database.pool()
            await pool.execute("UPDATE outbox SET claimed_until = NULL, claimed_by = NULL")
            service.relay.wake_here()
        self.rig.clock.advance(timedelta(seconds=61))
        await self.rig.drain()
        failpoints.disarm_all()

    async def post(self, name, **more):
        """Post a lead; whoever gets no answer sends it again."""
        lead = {"full_name": name, "email": f"{name}@example.com", "consent": True, **more}
        async with self.rig.anonymous("contacts") as visitor:
            await self._insist(visitor, "/f/autumn", json=lead)

    async def confirm(self, name):
        async with self.rig.anonymous("contacts") as owner:
            await self._insist(owner, self.question(name).confirm_path)

    @staticmethod
    async def _insist(client, path, **sent):
        for _ in range(2):
            try:
                if (await client.post(path, **sent)).is_success:
                    return
            except FailPointHit:
                continue

    def question(self, name):
        found = [
            one for one in self.rig.items(ConfirmationRequestedV1) if one.email.startswith(name)
        ]
        assert 1 == len({one.request_id for one in found}), name
        return found[0]

    async def advertise(self, names):
        """Try to advertise to all of them; return what became of it."""
        launch = new_id()
        pieces = [
            Piece(
                piece_id=new_id(),
                person_id=self.question(name).person_id,
                response_code=f"C{launch.int % 10**6:06d}{number:03d}",
            )
            for number, name in enumerate(names)
        ]
        await self.rig.publish(
            PieceReleasedV1(
                campaign_id=new_id(), campaign_name="Høst", launch_id=launch, cell_id=new_id(), key_code="A1",
                segment_id=new_id(), channel=Channel.EMAIL, purpose=Purpose.OFFERS, template_id=self.template_id,
                items=tuple(pieces),
            )
        )  # fmt: skip
        pool = await self.rig.services["messaging"].database.pool()
        query = "SELECT * FROM dispatch WHERE settled_at IS NOT NULL AND piece_id = ANY($1)"

        async def ended():
            rows = await pool.fetch(query, [one.piece_id for one in pieces])
            return rows if len(rows) == len(pieces) else None

        rows = await eventually(ended, message="the launch did not end")
        return Counter((row["state"], row["rule"]) for row in rows)

    def mailed(self, subject):
        """Return who was mailed under this subject, and how often."""
        mails = [
            message_from_string(one["message"], policy=policy.default) for one in self.sink.messages
        ]
        return Counter(
            mail["To"].partition("@")[0].rpartition("<")[2]
            for mail in mails
            if subject in mail["Subject"]
        )


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
async def desk(sink, rig_for):
    sending = {"smtp_host": "127.0.0.1", "smtp_port": sink.port, "mail_from": "post@lys.example"}
    rig = await rig_for(CONTACTS, MESSAGING, settings={"messaging": sending})
    async with rig.client("contacts") as client, rig.client("messaging") as sender:
        made = await client.post("/v1/forms", json=FORM)
        template = await sender.post("/v1/templates", json=TEMPLATE)
        assert (201, 201) == (made.status_code, template.status_code), made.text + template.text
    yield Desk(rig, sink, UUID(template.json()["id"]))
    failpoints.disarm_all()


async def proof_of(desk, name):
    async with desk.rig.client("contacts") as client:
        path = f"/v1/contacts/{desk.question(name).person_id}/permissions/proof"
        return (await client.get(path)).json()


async def test_nobody_is_advertised_to_before_their_yes_wherever_a_process_dies(desk):
    await play(
        desk, ("tx.after_commit", "relay.published", "consumer.before_ack"), ("dispatch.after_dot",)
    )


@pytest.mark.slow
async def test_nobody_is_advertised_to_before_their_yes_through_every_step(desk):
    await play(desk, STORING + CARRYING, MAILING)


async def play(desk, steps, mailing):
    """Let somebody's question die at each of these steps, and their yes at each but those of mailing."""
    asking = {point.replace(".", "-").replace("_", "-"): point for point in steps + mailing}
    for name, point in asking.items():
        async with desk.dying(point):
            await desk.post(name)
    early = await desk.advertise(asking)

    names = list(asking)
    answering = dict(zip(names, steps, strict=False))
    for name, point in answering.items():
        async with desk.dying(point):
            await desk.confirm(name)
    late = await desk.advertise(names)

    assert {("suppressed", "permission_pending"): len(names)} == early
    silent = len(names) - len(answering)
    assert {
        ("accepted", "allowed"): len(answering),
        ("suppressed", "permission_pending"): silent,
    } == late
    assert dict.fromkeys(answering, 1) == desk.mailed("Tilbud")
    for name in answering:
        proof = await proof_of(desk, name)
        assert ["pending", "granted"] == [one["state"] for one in proof], name
        said, evidence = proof[-1], proof[-1]["evidence"]
        assert (TEXT, "7", "offers", "email") == (
            said["text_shown"], said["text_version"], said["purpose"], said["channel"],
        )  # fmt: skip
        assert said["occurred_at"]
        assert "form autumn: Autumn competition" == said["source"]
        assert str(desk.question(name).request_id) == evidence["confirmation_id"]
        assert re.fullmatch("[0-9a-f]{64}", evidence["address_hash"])


async def test_a_token_confirms_its_own_mailbox_once_and_in_its_time(desk):
    for name in ("early", "moved", "slow"):
        await desk.post(name)
    await desk.rig.drain()
    async with desk.rig.client("contacts") as client:
        path = f"/v1/contacts/{desk.question('moved').person_id}"
        contact = await client.get(path)
        mended = await client.patch(
            path, json={"email": "new@example.com"}, headers={"If-Match": contact.headers["etag"]}
        )
        assert mended.is_success, mended.text
    await desk.rig.drain()

    async with desk.rig.anonymous("contacts") as owner:
        yes = await owner.post(desk.question("early").confirm_path)
        again = await owner.post(desk.question("early").confirm_path)
        other = await owner.post(desk.question("moved").confirm_path)
        desk.rig.clock.advance(timedelta(days=15))
        late = await owner.post(desk.question("slow").confirm_path)
    await desk.rig.drain()
    tried = await desk.advertise(("early", "moved", "slow"))

    assert (200, 200, 404, 404) == tuple(one.status_code for one in (yes, again, other, late))
    assert ["pending", "granted"] == [one["state"] for one in await proof_of(desk, "early")]
    assert {"early": 1} == desk.mailed("Tilbud")
    assert 1 == tried[("accepted", "allowed")]
