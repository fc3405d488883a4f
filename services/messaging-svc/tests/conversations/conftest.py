"""A house to which people write mails, and where somebody sits at the desk."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from kantis_kit.ids import new_id

MAILS = "/v1/conversations/mails"


@dataclass
class Inbox:
    """A running messaging-svc, its mail server, and what people and the desk do."""

    house: Any

    @property
    def rig(self) -> Any:
        return self.house.rig

    async def post(self, mail: EmailMessage | bytes) -> dict[str, Any]:
        data = mail if isinstance(mail, bytes) else mail.as_bytes()
        async with self.rig.client() as client:
            answer = await client.post(
                MAILS, content=data, headers={"Content-Type": "message/rfc822"}
            )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, path: str, **params: Any) -> Any:
        async with self.rig.client() as client:
            answer = await client.get(f"/v1/conversations{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def found(self, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("", **params))["items"]
        return found

    async def messages(self, id_: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(f"/{id_}/messages"))["items"]
        return found

    async def do(
        self,
        id_: str,
        what: str,
        body: Any = None,
        *,
        version: int | None = None,
        method: str = "POST",
    ) -> Any:
        """Do something with a conversation, of the version that stands when none is named."""
        if version is None:
            version = (await self.get(f"/{id_}"))["version"]
        async with self.rig.client() as client:
            return await client.request(
                method,
                f"/v1/conversations/{id_}{what}",
                json=body if body is not None else {},
                headers={"If-Match": f'"{version}"'},
            )

    async def answer(self, id_: str, text: str = "Ja, det har vi.", **more: Any) -> Any:
        return await self.do(id_, "/answers", {"text": text, **more})

    async def change(self, id_: str, **body: Any) -> Any:
        return await self.do(id_, "", body, method="PATCH")

    async def run(self, statement: str, *arguments: Any) -> list[Any]:
        pool = await self.rig.service.database.pool()
        return list(await pool.fetch(statement, *arguments))

    async def person(self, n: int = 0, **changes: Any) -> UUID:
        card = self.house.person(n, **changes)
        await self.house.know(card)
        known: UUID = card.person_id
        return known


def mail(
    sender: str = "Kari Nordmann <kari0@kunde.example>",
    text: str = "Har dere lampen i blått?",
    *,
    subject: str = "Lampe",
    to: str = "post@lys.example",
    **headers: str,
) -> EmailMessage:
    written = EmailMessage()
    written["From"], written["To"], written["Subject"] = sender, to, subject
    written["Message-ID"] = headers.pop("message_id", f"<{new_id()}@kunde.example>")
    for name, value in headers.items():
        written[name.replace("_", "-")] = value
    written.set_content(text)
    return written


@pytest.fixture
async def inbox(open_house) -> Inbox:
    return Inbox(await open_house(reply_address="svar@lys.example"))


@pytest.fixture
def write_mail():
    return mail
