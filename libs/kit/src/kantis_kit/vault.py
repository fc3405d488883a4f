"""Secrets of other systems, sealed at rest with keys that are made of the link keys."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kantis_kit.errors import KantisError


class CannotUnseal(KantisError):
    """The key that sealed it is gone."""


class Vault:
    """Seals with the first key and opens with any, as links are signed: keys can be changed.

    What was sealed for one purpose is opened for no other.
    """

    def __init__(self, keys: list[bytes], *, purpose: str) -> None:
        self._fernet = MultiFernet([Fernet(_derived(key, purpose)) for key in keys])

    @classmethod
    def from_text(cls, link_keys: str, *, purpose: str) -> "Vault":
        """Read a ring of the form `kid:hex,kid:hex`."""
        parts = filter(None, link_keys.split(","))
        keys = [bytes.fromhex(part.partition(":")[2].strip()) for part in parts]
        return cls(keys, purpose=purpose)

    def seal(self, secret: str) -> bytes:
        """Return what may be kept."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Return the secret.

        Raises:
            CannotUnseal: none of our keys has sealed it.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise CannotUnseal("its key is not among the link keys any more") from error


def _derived(key: bytes, purpose: str) -> bytes:
    made = HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=f"kantis {purpose}".encode()
    ).derive(key)
    return base64.urlsafe_b64encode(made)
