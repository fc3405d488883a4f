"""DKIM for mail that goes out without a relay that signs: rsa-sha256, relaxed/relaxed.

Signed twice by name are the headers that may stand once: nobody can add another. Source: RFC 6376, RFC 8058 (List-Unsubscribe and List-Unsubscribe-Post must be covered);
2026-11.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"list-unsubscribe", b"list-unsubscribe-post", b"list-id",
)  # fmt: skip
ONCE = (b"from", b"to", b"subject", b"date", b"message-id")
_SMALLEST_RSA_BITS = 1024
_BLANKS = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


@dataclass(frozen=True)
class Signer:
    """Signs for one domain."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey

    @classmethod
    def from_pem(cls, domain: str, selector: str, pem: bytes) -> "Signer":
        """Read a key.

        Raises:
            ValueError: it is none that DKIM knows, or one that receivers do not accept.
        """
        key = load_pem_private_key(pem, None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("DKIM needs an RSA key: others are read by few receivers")  # noqa: TRY004 - a matter of its value
        if key.key_size < _SMALLEST_RSA_BITS:
            raise ValueError(f"an RSA key for DKIM has at least {_SMALLEST_RSA_BITS} bits")
        return cls(domain, selector, key)

    def sign(self, mail: bytes) -> bytes:
        """Return the mail with its signature before it. Lines end in CR LF, and dots are not stuffed."""
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = [_relaxed(one) for one in _FOLD.sub(b"", head).split(b"\r\n")]
        present = {name for name, _ in fields}
        names = [name for name in SIGNED if name in present]
        names += [name for name in ONCE if name in present]
        digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest())
        start = b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=%b; s=%b;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
            self.domain.encode(),
            self.selector.encode(),
            b":".join(names),
            digest,
        )
        # The second mention of a name stands for a header that does not exist, and adds nothing.
        signed = [
            b"%b:%b\r\n" % next(one for one in reversed(fields) if one[0] == name)
            for name in dict.fromkeys(names)
        ]
        own = _relaxed(b"dkim-signature:" + _FOLD.sub(b"", start))
        signed.append(b"%b:%b" % own)
        value = base64.b64encode(
            self.key.sign(b"".join(signed), padding.PKCS1v15(), hashes.SHA256())
        )
        folded = b"\r\n ".join(value[at : at + 70] for at in range(0, len(value), 70))
        return b"DKIM-Signature: " + start + folded + b"\r\n" + mail


def _relaxed(field: bytes) -> tuple[bytes, bytes]:
    name, _, value = field.partition(b":")
    return name.strip().lower(), _BLANKS.sub(b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
