"""What we sign, dkimpy accepts; what was changed on the way, it does not."""

import base64
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from messaging_svc.dispatch.mime import Letterhead, Marketing, build
from messaging_svc.templates.rendering import Rendered
from messaging_svc.wire.dkim import Signer

MAIL = build(
    Letterhead("Lys & Lampe <post@lys.example>", "Lys"), to="kari@kunde.example",
    message_id="<1@lys.example>", key="k", at=datetime(2026, 3, 2, tzinfo=UTC),
    content=Rendered("Hei Kari: Lampe Æø og mye mer som gjør linjen for lang til én linje", "<p>Hei  </p>\n", "Hei \n\n"),
    language="nb", marketing=Marketing("https://lys.example/u/abc", "offers"),
)  # fmt: skip


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def signer_and_record():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    return Signer.from_pem("lys.example", "s1", _pem(key)), record.encode()


def _is_good(mail, record):
    asked = []

    def answer(name, timeout=5):
        asked.append(name)
        return record

    return dkim.verify(mail, dnsfunc=answer) and asked == [b"s1._domainkey.lys.example."]


def test_a_signed_mail_is_accepted_and_covers_what_bulk_senders_must_sign(signer_and_record):
    signer, record = signer_and_record

    signed = signer.sign(MAIL)

    assert _is_good(signed, record)
    assert signed.endswith(MAIL)
    covered = signed.split(b"h=")[1].split(b";")[0].split(b":")
    for name in (b"from", b"to", b"subject", b"date", b"message-id"):
        assert 2 == covered.count(name), name
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= set(covered)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<p", b"<b"), (b"To: <kari", b"To: <kira"), (b"One-Click", b"Two-Click"),
        (b"List-Unsubscribe: <https://lys.", b"List-Unsubscribe: <https://fly."),
        (b"Date:", b"Subject: another\r\nDate:"),
    ],
)  # fmt: skip
def test_a_change_on_the_way_is_noticed(signer_and_record, old, new):
    signer, record = signer_and_record
    signed = signer.sign(MAIL)
    changed = signed.replace(old, new, 1)
    if old == b"<p":
        changed = signed.replace(base64.b64encode(b"<p>"), base64.b64encode(b"<b>"), 1)

    assert changed != signed
    assert not _is_good(changed, record)


def test_keys_that_receivers_do_not_accept_are_refused():
    with pytest.raises(ValueError, match="RSA key"):
        Signer.from_pem("a.example", "s", _pem(ec.generate_private_key(ec.SECP256R1())))
