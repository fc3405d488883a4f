"""Our own domain as receivers see it, asked of a real name server on the loopback."""

import asyncio
import base64
from datetime import timedelta

import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kantis_contracts.messaging import SenderCheckedV1
from messaging_svc.senders.jobs import check_when_due

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OURS = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
SELECTOR = "s1._domainkey.lys.example"
GOOD = {
    ("lys.example", "TXT"): ["v=spf1 include:spf.post.example -all", "verification=abc"],
    ("spf.post.example", "TXT"): ["v=spf1 ip4:192.0.2.0/28 a:out.post.example ~all"],
    ("out.post.example", "A"): ["198.51.100.7"],
    ("lys.example", "MX"): ["10 mx.lys.example."],
    ("mx.lys.example", "A"): ["192.0.2.3"],
    (SELECTOR, "TXT"): [f"v=DKIM1; k=rsa; p={OURS}"],
    ("_dmarc.lys.example", "TXT"): ["v=DMARC1; p=quarantine; rua=mailto:d@lys.example"],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP with the records that it was given; a name in `silent` gets SERVFAIL."""

    def __init__(self):
        self.records, self.broken = {}, set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        query = dns.message.from_wire(data)
        (asked,) = query.question
        name, kind = asked.name.to_text(omit_final_dot=True), asked.rdtype.name
        answer = dns.message.make_response(query)
        values = self.records.get((name, kind), [])
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values:
            written = [_quoted(one) if kind == "TXT" else one for one in values]
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *written))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


def _quoted(text):
    return " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))


@pytest.fixture
async def names():
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    server.records = dict(GOOD)
    yield server
    transport.close()


@pytest.fixture
async def house(names, open_house):
    port = names.transport.get_extra_info("sockname")[1]
    return await open_house(
        smtp_host="", dkim_selector="s1", dkim_key=PEM, dns_servers=[f"127.0.0.1:{port}"],
        dns_timeout_seconds=1, sender_check_hours=0,
    )  # fmt: skip


@pytest.fixture
async def check(house):
    async with house.rig.client() as client:
        relay = {"name": "mx", "host": "mx.lys.example"}
        assert 201 == (await client.post("/v1/relays", json=relay)).status_code

        async def ask(domain="lys.example", *, method="POST"):
            answer = await client.request(method, f"/v1/senders/{domain}/check")
            return answer.status_code, answer.json()

        yield ask


def _verdicts(answer):
    return {one["check"]: one["verdict"] for one in answer["findings"]}


async def test_a_domain_in_order_is_good_and_the_answer_is_kept_with_its_time(check):
    never, _ = await check(method="GET")
    asked, told = await check()
    kept, again = await check("LYS.example", method="GET")

    assert [404, 200, 200] == [never, asked, kept]
    assert told == again
    assert told["checked_at"]
    assert told["is_good"]
    assert {"spf": "good", "dkim": "good", "dmarc": "good", "alignment": "good"} == _verdicts(told)


CASES = {
    "no SPF": ({("lys.example", "TXT"): []}, "spf", "error", "such as v=spf1 mx -all"),
    "two SPF": ({("lys.example", "TXT"): ["v=spf1 -all", "v=spf1 mx -all"]}, "spf", "error", "keep one"),
    "everybody": ({("lys.example", "TXT"): ["v=spf1 +all"]}, "spf", "error", "-all or ~all"),
    "our server is not named": ({("lys.example", "TXT"): ["v=spf1 ip4:203.0.113.1 -all"]}, "spf", "warning", "mx.lys.example"),
    "our server is refused": ({("lys.example", "TXT"): ["v=spf1 -ip4:192.0.2.3 mx a ~all"]}, "spf", "warning", "mx.lys.example"),
    "our server by its name": ({("lys.example", "TXT"): ["v=spf1 a:mx.lys.example/31 -all"]}, "spf", "good", ""),
    "our server as it receives": ({("lys.example", "TXT"): ["v=spf1 mx -all"]}, "spf", "good", ""),
    "our server by a redirect": ({("lys.example", "TXT"): ["v=spf1 redirect=spf.post.example"]}, "spf", "good", ""),
    "round and round": ({("lys.example", "TXT"): ["v=spf1 include:lys.example -all"]}, "spf", "error", "ten look-ups"),
    "no key": ({(SELECTOR, "TXT"): []}, "dkim", "error", "There is no key"),
    "another key": ({(SELECTOR, "TXT"): ["v=DKIM1; p=MIIB"]}, "dkim", "error", "another key than ours"),
    "a withdrawn key": ({(SELECTOR, "TXT"): ["v=DKIM1; p="]}, "dkim", "error", "withdrawn"),
    "no DMARC": ({("_dmarc.lys.example", "TXT"): []}, "dmarc", "error", "_dmarc.lys.example"),
    "DMARC that asks for nothing": ({("_dmarc.lys.example", "TXT"): ["v=DMARC1; p=none"]}, "dmarc", "warning", "p=quarantine"),
    "DMARC without a policy": ({("_dmarc.lys.example", "TXT"): ["v=DMARC1"]}, "dmarc", "error", "none, quarantine or reject"),
}  # fmt: skip


async def test_each_mistake_is_told_with_what_mends_it(check, names):
    for case, (records, name, verdict, words) in CASES.items():
        names.records = GOOD | records
        _, told = await check()
        (finding,) = [one for one in told["findings"] if one["check"] == name]
        assert verdict == finding["verdict"], case
        assert words in finding["detail"], case
        assert (verdict != "error") == told["is_good"], case


async def test_a_from_that_neither_signature_nor_return_path_fits_is_an_error(check, names):
    names.records |= {("_dmarc.annet.example", "TXT"): ["v=DMARC1; p=reject"]}

    _, other = await check("annet.example")
    _, below = await check("nyheter.lys.example")
    names.records[("_dmarc.lys.example", "TXT")] = ["v=DMARC1; p=reject; adkim=s; aspf=s"]
    _, strict = await check("nyheter.lys.example")

    assert ["error", "good", "error"] == [
        _verdicts(one)["alignment"] for one in (other, below, strict)
    ]


async def test_a_name_server_that_fails_makes_nothing_good(check, names):
    names.broken |= {"lys.example", SELECTOR, "_dmarc.lys.example"}

    _, told = await check()

    assert {"unknown"} == set(_verdicts(told).values())
    assert not told["is_good"]


async def test_each_answer_is_told_and_says_whether_campaigns_write_from_there(check, house, names):
    names.records[("_dmarc.lys.example", "TXT")] = []
    await check()
    await check("annet.example")
    await house.rig.drain()

    told = {one.domain: one for one in house.rig.items(SenderCheckedV1)}

    assert {"lys.example": True, "annet.example": False} == {
        domain: one.is_ours for domain, one in told.items()
    }
    verdicts = {one.check: one.verdict for one in told["lys.example"].findings}
    assert {"spf": "good", "dkim": "good", "dmarc": "error", "alignment": "good"} == verdicts
    (dmarc,) = [one for one in told["lys.example"].findings if one.check == "dmarc"]
    assert "Publish at _dmarc.lys.example" in dmarc.detail


async def test_our_own_domain_is_asked_about_once_a_day_while_mails_leave(check, house):
    settings = house.rig.service.settings.model_copy(update={"sender_check_hours": 24})
    scope, clock = house.rig.service.scope, house.rig.clock
    others = settings.model_copy(update={"dns_servers": []})
    nobody = await check_when_due(scope, others)

    asked = [await check_when_due(scope, settings) for _ in range(2)]
    clock.advance(timedelta(hours=25))
    asked.append(await check_when_due(scope, settings))
    await house.rig.drain()

    assert [True, False, True] == asked
    assert not nobody, "nobody owns a name under .example"
    assert 2 == len([*house.rig.items(SenderCheckedV1)])


async def test_nobody_is_asked_where_no_mail_leaves(house):
    settings = house.rig.service.settings.model_copy(update={"sender_check_hours": 24})

    assert not await check_when_due(house.rig.service.scope, settings)
