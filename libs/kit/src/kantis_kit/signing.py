"""Who made it: each service signs its events, the gateway signs principals, all with Ed25519.

The key folder holds `<name>.key` (PEM, only for its owner) and `public.json` (`{name: [hex, …]}`: the current key
first, older ones kept so that what they signed stays valid).
"""

import os
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kantis_contracts.base import Envelope
from kantis_kit.errors import KantisError

PUBLIC_FILE = "public.json"


class KeyMissing(KantisError):
    """The key folder does not hold what is needed; `kantis keys init` makes it."""


class Keys:
    """The key folder as one service sees it."""

    def __init__(
        self, private: Ed25519PrivateKey | None, public: dict[str, list[Ed25519PublicKey]]
    ) -> None:
        self._private = private
        self._public = public

    @classmethod
    def load(cls, folder: Path, name: str) -> "Keys":
        """Read the private key of `name`, when it is there, and everybody's public keys."""
        public_file = folder / PUBLIC_FILE
        if not public_file.exists():
            message = f"{public_file} is missing; make the keys with `kantis keys init`"
            raise KeyMissing(message)
        listed: dict[str, list[str]] = orjson.loads(public_file.read_bytes())
        public = {
            owner: [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in keys]
            for owner, keys in listed.items()
        }
        private_file = folder / f"{name}.key"
        private = None
        if private_file.exists():
            loaded = load_pem_private_key(private_file.read_bytes(), password=None)
            if not isinstance(loaded, Ed25519PrivateKey):
                message = f"{private_file} is not an Ed25519 key"
                raise KeyMissing(message)
            private = loaded
        return cls(private, public)

    @property
    def private(self) -> Ed25519PrivateKey:
        """The key that this process signs with."""
        if self._private is None:
            message = "this process has no private key"
            raise KeyMissing(message)
        return self._private

    def sign(self, envelope: Envelope) -> Envelope:
        """Return the envelope with its producer's signature."""
        signature = self.private.sign(envelope.signed_bytes()).hex()
        return envelope.model_copy(update={"signature": signature})

    def is_genuine(self, envelope: Envelope) -> bool:
        """Say whether the service named as source signed it, and the type is its own to publish."""
        if envelope.type.split(".", 1)[0] != envelope.source:
            return False
        try:
            signature = bytes.fromhex(envelope.signature)
        except ValueError:
            return False
        return any(
            _verifies(key, signature, envelope.signed_bytes())
            for key in self._public.get(envelope.source, ())
        )

    def public(self, name: str) -> list[Ed25519PublicKey]:
        """Return the public keys of one owner, newest first."""
        return self._public.get(name, [])


def _verifies(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def make_keys(folder: Path, names: tuple[str, ...]) -> None:
    """Make the keys that are missing; what exists is kept."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public_file = folder / PUBLIC_FILE
    listed: dict[str, list[str]] = (
        orjson.loads(public_file.read_bytes()) if public_file.exists() else {}
    )
    for name in names:
        private_file = folder / f"{name}.key"
        if private_file.exists() and listed.get(name):
            continue
        key = Ed25519PrivateKey.generate()
        _write_private(
            private_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        listed.setdefault(name, []).insert(0, _public_hex(key.public_key()))
    draft = public_file.with_suffix(".tmp")
    draft.write_bytes(orjson.dumps(listed, option=orjson.OPT_INDENT_2))
    draft.replace(public_file)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _public_hex(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
