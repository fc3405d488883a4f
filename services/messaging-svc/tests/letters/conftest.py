"""What the tests of letters share: people with homes, a template with a letter, and eyes that read a page's codes."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typst
import zxingcpp

from kantis_contracts.contacts import PermissionChangedV1, PermissionEntry, PersonChangedV1
from kantis_contracts.values import Channel, PostalAddress, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

LETTER = """{{ greeting() }},

Vi har en **{{ offer_name }}** til deg for {{ offer_price }}.

- Svar på {{ response_url }}
- eller skriv koden {{ response_code }} til oss
"""
TEXTS = {"nb": {"subject": "En lampe til {{ preferred_name|default('deg') }}", "letter": LETTER}}
SETTINGS = {
    "smtp_host": "",
    "letter_return_address": "Storgata 1, 0155 Oslo",
    "letter_track_agreement": "1234",
    "permission_grace_seconds": 0.0,
}


def _unfiltered(kind: int, row: bytearray, before: bytes, width: int) -> None:
    """Undo a PNG filter in place."""
    for i in range(len(row)):
        left = row[i - width] if i >= width else 0
        above = before[i]
        corner = before[i - width] if i >= width else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + above) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + above) // 2) & 255
        elif kind == 4:
            guess = left + above - corner
            a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
            nearest = left if a <= b and a <= c else above if b <= c else corner
            row[i] = (row[i] + nearest) & 255


def grey(png: bytes) -> memoryview:
    """Return a picture's first channel as rows of points."""
    at, packed, width, height = 8, b"", 0, 0
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    raw, stride = zlib.decompress(packed), width * 4
    before, points = bytes(stride), bytearray()
    for n in range(height):
        row = bytearray(raw[n * (stride + 1) + 1 : (n + 1) * (stride + 1)])
        _unfiltered(raw[n * (stride + 1)], row, before, 4)
        points += row[::4]
        before = bytes(row)
    return memoryview(bytes(points)).cast("B", (height, width))


@dataclass
class Printed:
    """A PDF on a table, as somebody sees it who holds it in their hands."""

    folder: Path
    pdf: bytes

    def answer_codes(self, page: int) -> set[str]:
        """Return what a reader finds beside the window of a Norwegian envelope."""
        return self.codes(page, 133, 26, 57, 46, ppi=127)

    def return_mark(self, page: int) -> set[str]:
        """Return what a reader finds in that window, above the address."""
        return self.codes(page, 18, 45, 60, 10, ppi=200)

    def codes(
        self, page: int, x_mm: float, y_mm: float, w_mm: float, h_mm: float, *, ppi: float
    ) -> set[str]:
        """Return what a reader finds in a part of a page."""
        (self.folder / "it.pdf").write_bytes(self.pdf)
        look = (
            f"#set page(width: {w_mm}mm, height: {h_mm}mm, margin: 0mm)\n"
            f"#place(top + left, dx: -{x_mm}mm, dy: -{y_mm}mm, "
            f'image("it.pdf", page: {page}, width: 210mm, height: 297mm))'
        )
        png = typst.compile(look.encode(), root=str(self.folder), format="png", ppi=ppi)
        return {found.text for found in zxingcpp.read_barcodes(grey(png))}


@pytest.fixture
def printed(tmp_path):
    return lambda pdf: Printed(tmp_path, pdf)


@dataclass
class Desk:
    """A house that sends letters."""

    house: Any

    async def settle(self, *people: Any, permit: bool = True) -> None:
        """Make people known who live somewhere."""
        await self.house.rig.publish(PersonChangedV1(items=people))
        if permit:
            await self.permit([one.person_id for one in people])
        await self.house.rig.drain()

    async def permit(self, people: list[UUID], *, state: str = "granted", version: int = 1) -> None:
        await self.house.rig.publish(
            PermissionChangedV1(
                items=tuple(
                    PermissionEntry(
                        person_id=person,
                        channel=Channel.LETTER,
                        purpose=Purpose.OFFERS,
                        state=state,
                        version=version,
                        ledger_id=new_id(),
                        occurred_at=self.house.rig.clock.now(),
                    )
                    for person in people
                )
            )
        )

    def person(self, n: int, **changes: Any) -> Any:
        address = PostalAddress(
            street=f"Storgata {n}", postal_code=f"{9000 - n:04d}", city="OSLO", country="NO"
        )
        return self.house.person(n, **({"address": address} | changes))

    async def launch(self, people: list[Any], **changes: Any) -> Any:
        event = self.house.launch(
            [one.person_id for one in people], channel=Channel.LETTER, **changes
        )
        await self.house.rig.publish(event)
        await self.house.rig.drain()
        return event

    async def batch(self, state: str = "ready", **body: Any) -> Any:
        async with self.house.rig.client(scopes=["messaging:write"]) as client:
            made = await client.post("/v1/letters/batches", json={"country": "NO"} | body)
            assert 202 == made.status_code, made.text
            return await self.until(made.json()["id"], state)

    async def until(self, batch_id: str, state: str) -> Any:
        async with self.house.rig.client(scopes=["messaging:read"]) as client:

            async def there() -> Any:
                found = (await client.get(f"/v1/letters/batches/{batch_id}")).json()
                return found if found["state"] == state else None

            return await eventually(there, message=f"the batch did not become {state}")

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        scopes = ["messaging:write", "messaging:read"]
        async with self.house.rig.client(scopes=scopes) as client:
            return await client.request(
                method, f"/v1/letters/batches/{path}".rstrip("/"), **arguments
            )


@pytest.fixture
async def desk(open_house):
    house = await open_house(**SETTINGS)
    await house.save_template(TEXTS)
    return Desk(house)
