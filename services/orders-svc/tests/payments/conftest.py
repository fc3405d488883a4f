"""The bank's files, written as banks write them."""

from collections.abc import Sequence
from typing import Any

import pytest

from kantis_contracts.contacts import PersonChangedV1

IBAN = "NO9315034012345"
SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001."


def kroner(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def entry(
    reference: str,
    minor: int,
    *,
    ref: str,
    version: str = "02",
    currency: str = "NOK",
    name: str = "",
    text: str = "",
    is_back: bool = False,
    state: str = "BOOK",
) -> str:
    """Return one entry with one transaction."""
    sign = "DBIT" if is_back else "CRDT"
    told = f"<Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd>" if reference else ""
    told += f"<Ustrd>{text}</Ustrd>" if text else ""
    party = f"<Nm>{name}</Nm>" if version == "02" else f"<Pty><Nm>{name}</Nm></Pty>"
    amount = f'<Amt Ccy="{currency}">{kroner(minor)}</Amt>'
    inner = (
        f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
        if version == "02"
        else f"{amount}<CdtDbtInd>{sign}</CdtDbtInd>"
    )
    status = state if version == "02" else f"<Cd>{state}</Cd>"
    return (
        f"<Ntry>{amount}<CdtDbtInd>{sign}</CdtDbtInd>"
        f"<RvslInd>{str(is_back).lower()}</RvslInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>2026-03-09</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{inner}"
        f"<RltdPties><Dbtr>{party}</Dbtr></RltdPties><RmtInf>{told}</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def camt(
    entries: Sequence[str],
    *,
    version: str = "02",
    account: str = IBAN,
    sums: str = "",
    head: str = "",
) -> bytes:
    """Return a whole notification."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<Document xmlns="{SPACE}{version}"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>M1</MsgId></GrpHdr><Ntfctn><Id>1</Id><Acct><Id><IBAN>{account}</IBAN></Id></Acct>"
        f"{sums}{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def ocr(payments: Sequence[tuple[str, int, str]], *, total: int | None = None) -> bytes:
    """Return an OCR-giro of (KID, øre, kind of transaction)."""
    lines = [
        "NY000010" + "00008080" + "0000001" + "00008080",
        "NY090020" + "001008688" + "0000001" + "15034012345",
    ]
    for number, (kid, minor, kind) in enumerate(payments, 1):
        lines.append(f"NY09{kind}30{number:07d}09032601011000010{minor:017d}{kid:>25}")
        lines.append(
            f"NY09{kind}31{number:07d}"
            + "0" * 10
            + "000000001"
            + "0" * 7
            + "090326"
            + "99990512341"
        )
    signed = sum(minor for _, minor, _ in payments)
    told = f"{(signed if total is None else total):017d}090326"
    lines.append(f"NY090088{len(payments):08d}{2 * len(payments) + 2:08d}{told}")
    lines.append(f"NY000089{len(payments):08d}{2 * len(payments) + 4:08d}{told}")
    return "".join(f"{line:0<80}\r\n" for line in lines).encode()


class Bank:
    """Sends files to a desk."""

    entry = staticmethod(entry)
    camt = staticmethod(camt)
    ocr = staticmethod(ocr)

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.product: dict[str, Any] | None = None

    async def invoice(self, code: str = "ABCDE2", **given: Any) -> dict[str, Any]:
        if self.product is None:
            self.product = await self.desk.product()
        person = self.desk.person(**given)
        await self.desk.rig.publish(
            PersonChangedV1(items=(person,)), self.desk.piece(person, self.product, code)
        )
        await self.desk.drain()
        answer = await self.desk.order(code=code)
        return await self.desk.ship(answer["order_id"])

    async def post(self, body: bytes, kind: str = "application/xml") -> Any:
        answer = await self.desk.client.post(
            "/v1/payments/files", content=body, headers={"Content-Type": kind}
        )
        await self.desk.drain()
        return answer

    async def send(self, body: bytes) -> dict[str, Any]:
        """Send a file that is taken; return what became of it."""
        answer = await self.post(body)
        assert answer.status_code in (200, 202), answer.text
        return await self.desk.get(f"/v1/payments/files/{answer.json()['file_id']}")

    async def payments(self, **params: Any) -> list[dict[str, Any]]:
        return (await self.desk.get("/v1/payments", **params))["items"]


@pytest.fixture
def bank(desk):
    return Bank(desk)


@pytest.fixture
def bank_files():
    """What writes files, without a desk to send them to."""
    return Bank
