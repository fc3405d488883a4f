"""Files of responses, sent as their senders would."""

from typing import Any

import pytest

from kantis_contracts.codes import check_character
from kantis_contracts.contacts import PersonChangedV1
from kantis_kit import failpoints
from orders_svc.main import SPEC

CSV = {"content-type": "text/csv"}


class Sender:
    """A desk to which files are sent; three rows share a transaction, so that a file takes several."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.client = desk.client

    @staticmethod
    def code(number: int) -> str:
        """Return the code of a piece, sound as printed ones are."""
        data = f"K{number:08d}"
        return data + check_character(data)

    @staticmethod
    def counts(file: dict[str, Any]) -> tuple[int, ...]:
        """Return registered, repeated, in review, rejected."""
        names = ("registered", "repeated", "in_review", "rejected")
        return tuple(file[name] for name in names)

    async def declare(self, name: str = "scans", **body: Any) -> None:
        answer = await self.client.put(f"/v1/response-files/mappings/{name}", json=body)
        assert 200 == answer.status_code, answer.text

    async def csv(self, **given: Any) -> None:
        """Declare what most tests send: code, kind and an answer in a file of CSV."""
        fields = {"code": "KODE", "kind": "SVAR", "answer.children": "BARN"}
        more = {"kinds": {"J": "order", "S": "inquiry", "N": "refusal"}, "encoding": "utf-8"}
        await self.declare(**{"form": "csv", "way": "barcode", "fields": fields, **more, **given})

    async def post(self, content: bytes, mapping: str = "scans", **params: Any) -> Any:
        return await self.client.post(
            "/v1/response-files",
            params={"mapping": mapping, **params},
            content=content,
            headers=CSV,
        )

    async def send(self, content: bytes, mapping: str = "scans", **params: Any) -> dict[str, Any]:
        """Send a file and wait until its rows are taken; return how it ended."""
        answer = await self.post(content, mapping, **params)
        assert answer.status_code in (200, 202), answer.text
        await self.desk.drain()
        return await self.desk.get(f"/v1/response-files/{answer.json()['file_id']}")

    async def rejects(self, file: dict[str, Any]) -> bytes:
        answer = await self.client.get(f"/v1/response-files/{file['file_id']}/rejects")
        assert 200 == answer.status_code, answer.text
        return answer.content

    async def pieces(self, count: int, **person: Any) -> list[str]:
        """Release pieces of one person; return their codes."""
        product = await self.desk.product(stock=100)
        card = self.desk.person(**person)
        codes = [self.code(number) for number in range(count)]
        await self.desk.rig.publish(
            PersonChangedV1(items=(card,)), self.desk.piece(card, product, *codes)
        )
        await self.desk.drain()
        return codes


@pytest.fixture
async def sender(rig_for, desk_of):
    rig = await rig_for(SPEC, settings={"orders": {"response_file_rows": 3}})
    async with desk_of(rig) as desk:
        yield Sender(desk)


@pytest.fixture(autouse=True)
def no_failpoints_left():
    yield
    failpoints.disarm_all()


@pytest.fixture
def sender_of():
    """Make a sender of a desk that the test has opened itself."""
    return Sender
