"""Mail servers behind TLS: a certificate that nobody vouches for gets no mail, one that is known does."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from messaging_svc.wire.answers import Lost, Refused
from messaging_svc.wire.connection import Connection, Parcel
from messaging_svc.wire.server import Server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for the loopback address; return its file, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


class Post:
    """A mail server that takes everything from those who sign in, with or without STARTTLS first."""

    def __init__(self, certificate, *, implicit):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.implicit, self.heard = implicit, []

    async def serve(self, reader, writer):
        secure = self.implicit
        writer.write(b"220 post\r\n")
        try:
            while line := await reader.readline():
                verb = line.split()[0].upper()
                self.heard.append((verb, secure))
                if verb == b"EHLO":
                    writer.write(
                        b"250-post\r\n250 AUTH PLAIN\r\n"
                        if secure
                        else b"250-post\r\n250 STARTTLS\r\n"
                    )
                elif verb == b"STARTTLS":
                    writer.write(b"220 go\r\n")
                    await writer.start_tls(self.context)
                    secure = True
                elif verb == b"AUTH":
                    writer.write(
                        b"235 in\r\n" if line.split()[2] == b"AGthcmkAc2VjcmV0" else b"535 no\r\n"
                    )
                elif verb == b"DATA":
                    writer.write(b"354 go\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    writer.write(b"250 taken\r\n")
                else:
                    writer.write(b"250 ok\r\n")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def __aenter__(self):
        self.listener = await asyncio.start_server(
            self.serve, "127.0.0.1", 0, ssl=self.context if self.implicit else None
        )
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.listener.close()


class Desk:
    """Has one parcel."""

    def __init__(self):
        self.parcels = [Parcel("a@lys.example", "b@x.example", b"Subject: x\r\n\r\nHei\r\n")]
        self.done = asyncio.get_running_loop().create_future()

    def take(self):
        return self.parcels.pop() if self.parcels else None

    def begins(self, _parcel):
        return True

    def accepted(self, _parcel, answer):
        self.done.set_result(answer)


def _server(post, certificate=None, *, word="secret"):
    tls = "implicit" if post.implicit else "starttls"
    server = Server("127.0.0.1", post.port, user="kari", password=word, tls=tls)
    if certificate is not None:
        server.trust(ssl.create_default_context(cafile=certificate))
    return server


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
async def test_a_mail_goes_out_secured_and_signed_in(certificate, implicit):
    async with Post(certificate, implicit=implicit) as post:
        desk = Desk()
        connection = Connection(_server(post, certificate), desk)
        await connection.open()
        connection.poke()
        assert "taken" == await desk.done
        connection.abort()

    assert {True} == {secure for verb, secure in post.heard if verb in (b"AUTH", b"MAIL", b"DATA")}


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_gets_neither_password_nor_mail(
    certificate, implicit
):
    async with Post(certificate, implicit=implicit) as post:
        with pytest.raises(Lost):
            await Connection(_server(post), Desk()).open()

    assert not [verb for verb, _ in post.heard if verb in (b"AUTH", b"MAIL")]


async def test_a_wrong_password_is_said_with_the_servers_word(certificate):
    async with Post(certificate, implicit=True) as post:
        with pytest.raises(Refused, match="535 no"):
            await Connection(_server(post, certificate, word="wrong"), Desk()).open()
