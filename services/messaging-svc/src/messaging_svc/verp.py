"""The address to which a mail's bounces and answers come back: it names the message, and nobody else can make it.

`bounces@lys.example` becomes `bounces+<token>@lys.example`. The token is that of a signed link in base 32, which
survives servers that change the case of letters; with its prefix it stays within the 64 characters of a local part.
"""

import base64
import binascii
import re
from datetime import datetime
from uuid import UUID

from kantis_kit.auth.links import LinkSigner

PURPOSE = "bounce"
_ID_BYTES = 16
_TOKEN = re.compile(r"\+([a-z2-7]{40,56})@", re.IGNORECASE)


class ReturnPath:
    """Makes addresses that name a message, to which it bounces or is answered; without an address there are none."""

    def __init__(self, address: str, signer: LinkSigner) -> None:
        self._local, _, self._domain = address.rpartition("@")
        self._signer = signer

    def of(self, message_id: UUID) -> str | None:
        """Return the address of a message, or None where none is set."""
        if not self._local:
            return None
        signed = self._signer.make(PURPOSE, message_id.bytes)
        raw = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
        token = base64.b32encode(raw).rstrip(b"=").decode().lower()
        return f"{self._local}+{token}@{self._domain}"


def message_named_by(text: str, signer: LinkSigner, *, now: datetime) -> UUID | None:
    """Return the message whose address stands in a text, or None when it is not one of ours."""
    for found in _TOKEN.finditer(text):
        token = found[1].upper()
        try:
            raw = base64.b32decode(token + "=" * (-len(token) % 8))
        except binascii.Error:
            continue
        payload = signer.read(PURPOSE, base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), now=now)
        if payload is not None and len(payload) == _ID_BYTES:
            return UUID(bytes=payload)
    return None
