"""The door of imports, as tests use it."""

import pytest

HEAD = "Fornavn;Etternavn;E-post;Mobil;Postnr;Poststed\r\n"
KARI = "Kari;Ødegård;kari@example.com;412 34 567;0155;Oslo\r\n"


class Door:
    """Sends files and looks at what became of them."""

    head, kari = HEAD, KARI

    async def send(self, rig, text, *, status=202, kind="text/csv", **params):
        body = text if isinstance(text, bytes) else text.encode()
        async with rig.client() as client:
            answer = await client.post(
                "/v1/imports", content=body, params=params, headers={"Content-Type": kind}
            )
        assert status == answer.status_code, answer.text
        return answer.json()

    async def finished(self, rig, started):
        await rig.drain()
        async with rig.client() as client:
            return (await client.get(f"/v1/imports/{started['id']}")).json()

    async def take(self, rig, text, **params):
        return await self.finished(rig, await self.send(rig, text, **params))

    async def rejects(self, rig, started):
        async with rig.client() as client:
            return (await client.get(f"/v1/imports/{started['id']}/rejects.csv")).text

    async def contacts(self, rig):
        async with rig.client() as client:
            items = (await client.get("/v1/contacts")).json()["items"]
        return {one["email"]: one for one in items}


@pytest.fixture
def door():
    return Door()
