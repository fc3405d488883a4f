"""Contacts, campaigns and messages together, some of them twice, on either broker: a campaign from its people to its end."""

import asyncio
import io
from contextlib import asynccontextmanager

from mail_house import LONG, SENDING, TEXTS, place_in

from campaign_svc.main import SPEC as CAMPAIGN
from contacts_svc.main import SPEC as CONTACTS
from kantis_contracts.orders import ProductCard, ProductChangedV1
from kantis_kit.clock import SystemClock
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC as MESSAGING

SPECS = {"contacts": CONTACTS, "campaign": CAMPAIGN, "messaging": MESSAGING}
DONE = ("accepted", "failed", "suppressed", "expired", "in_doubt")


class CampaignHouse:
    """What a test of whole campaigns holds. Services beside those of the rig come and go."""

    def __init__(self, rig, sink):
        self.rig, self.sink = rig, sink
        self._others = []

    async def start(self, name, **changes):
        """Start one more of a service's processes (here: its loops, on a broker connection of its own)."""
        settings = self.rig.services[name].settings.model_copy(update=changes)
        other = Service(SPECS[name], settings, clock=self.rig.clock)
        await other.start()
        self._others.append(other)
        return other

    async def end(self, other):
        """End one of those, in order."""
        self._others.remove(other)
        await other.stop()

    async def close(self):
        """End them all."""
        while self._others:
            await self._others.pop().stop()

    async def people(self, count):
        """Import that many people who want offers by mail."""
        file = io.StringIO()
        file.write("fornavn;etternavn;epost;land;språk;permission.email.offers\r\n")
        for number in range(count):
            file.write(f"Kari{number};Nordmann;kari{number}@kunde.example;NO;nb;ja\r\n")
        given = {"source": "Kasse", "permission_source": "Kasse", "permission_text": "Ja takk"}
        async with self.rig.client("contacts") as client:
            answer = await client.post(
                "/v1/imports", params=given, content=file.getvalue(), headers={"Content-Type": "text/csv"},
            )  # fmt: skip
            assert answer.status_code == 202, answer.text

            async def taken():
                shown = (await client.get(f"/v1/imports/{answer.json()['id']}")).json()
                return shown if shown["state"] != "running" else None

            shown = await eventually(taken, message="the import did not end", within=LONG)
            assert (count, count) == (shown["created"], shown["permissions"]), shown
            made = await client.post(
                "/v1/segments", json={"name": "Alle", "condition": {"op": "country", "is_in": ["NO"]}}
            )  # fmt: skip
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def plan(self, segment_id):
        """Make a campaign with one cell and a pre-flight; return its path."""
        card = ProductCard(
            product_id=new_id(), version=1, sku="LAMP", name="Lampe", price_minor=19_900, currency="NOK",
            vat_pct=25, available=100,
        )  # fmt: skip
        await self.rig.publish(ProductChangedV1(items=(card,)))
        async with self.rig.client("messaging") as client:
            template = (
                await client.post("/v1/templates", json={"name": "Vår", "languages": TEXTS})
            ).json()
        async with self.rig.client("campaign") as client:
            body = {"name": "Vår", "segment_id": segment_id, "currency": "NOK"}
            campaign = (await client.post("/v1/campaigns", json=body)).json()
            path = f"/v1/campaigns/{campaign['id']}"

            async def offered():
                given = {"product_id": str(card.product_id)}
                return (await client.post(f"{path}/offers", json=given)).is_success

            await eventually(offered, message="the product is not known")
            cell = {"name": "A", "share_pct": 100, "template_id": template["id"]}
            assert 201 == (await client.post(f"{path}/cells", json=cell)).status_code
            flight = (await client.post(f"{path}/preflights")).json()

            async def counted():
                return (await client.get(f"{path}/preflights/{flight['id']}")).json()[
                    "state"
                ] == "counted"

            await eventually(counted, message="the pre-flight was not counted")
        return path

    async def launch(self, path, times=1):
        """Press the button so often at once; return the answers."""
        body = {"sign_off": {"name": "Test", "reason": "read"}}
        async with self.rig.client("campaign") as client:
            return await asyncio.gather(
                *(client.post(f"{path}/launch", json=body) for _ in range(times))
            )

    async def decide(self, path, what):
        """Pause, resume or stop."""
        async with self.rig.client("campaign") as client:
            answer = await client.post(f"{path}/{what}", json={"reason": "a person"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def progress(self, path):
        """Return how far the campaign says that it is."""
        async with self.rig.client("campaign") as client:
            return (await client.get(f"{path}/progress")).json()

    async def until_finished(self, path):
        """Wait until the campaign says that it is."""

        async def over():
            shown = await self.progress(path)
            return shown if shown["state"] == "finished" else None

        return await eventually(over, message="the campaign did not finish", within=LONG)

    async def ask(self, query, *arguments):
        """Ask the database of messaging-svc."""
        pool = await self.rig.services["messaging"].database.pool()
        return list(await pool.fetch(query, *arguments))


@asynccontextmanager
async def campaign_house(rig_for, *, rabbit=None, **settings):
    """Open the house; it lives by the machine's clock."""
    async with SmtpSink(keep_messages=False) as sink:
        given = {key.lower(): value for key, value in SENDING.items()}
        given |= {
            "smtp_port": sink.port,
            "sender_lease_seconds": 60.0,
            "sender_concurrency": 4,
            "sender_batch": 100,
        }
        rig = await rig_for(
            *SPECS.values(), settings={"messaging": given | settings}, clock=SystemClock(),
            rabbit=await place_in(rabbit),
        )  # fmt: skip
        house = CampaignHouse(rig, sink)
        try:
            yield house
        finally:
            await house.close()
