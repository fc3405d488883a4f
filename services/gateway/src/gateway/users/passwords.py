"""Passwords: what is stored of them, and which are taken."""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from gateway.users.errors import PasswordRefused

MIN_LENGTH = 12
MAX_LENGTH = 256
_TELLING = 4
"""So many letters of an address make a password easy to guess; two or three stand in any word."""
SALT_BYTES = 16
HASH_BYTES = 32
_AT_ONCE = asyncio.Semaphore(2)
"""So many hashes are computed at once: each takes a processor and some memory."""


@dataclass(frozen=True, slots=True)
class Work:
    """The cost of a hash.

    Source: OWASP Password Storage Cheat Sheet, scrypt with N = 2^15, r = 8, p = 3, read 2026-11.
    """

    log2_n: int = 15
    r: int = 8
    p: int = 3

    @property
    def memory_bytes(self) -> int:
        """Return how much memory the hash may take; what OpenSSL needs beside the blocks is a fraction of them."""
        return 2 * 128 * self.r * (1 << self.log2_n)


WORK = Work()


def check_password(password: str, *, email: str) -> None:
    """Refuse what is guessed first.

    Raises:
        PasswordRefused: too short, too long, one letter many times, or made of the address.
    """
    said, own = "", email.partition("@")[0].lower()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        said = f"{MIN_LENGTH} to {MAX_LENGTH} characters; a few words are easier to remember"
    elif len(set(password)) < MIN_LENGTH // 2:
        said = "It repeats the same few characters; take a few words"
    elif len(own) >= _TELLING and own in password.lower():
        said = "It holds the e-mail address; take other words"
    if said:
        raise PasswordRefused(said, errors=[{"in": "body", "field": "password", "message": said}])


async def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = await _scrypt(password, salt, WORK)
    return f"scrypt${WORK.log2_n}${WORK.r}${WORK.p}${salt.hex()}${digest.hex()}"


async def fits(password: str, stored: str) -> bool:
    """Say whether a password is the one of which this is stored.

    Nothing stored takes as long as something: an unknown account is not told apart by the time of its answer.
    """
    if not stored:
        await _scrypt(password, bytes(SALT_BYTES), WORK)
        return False
    _, log2_n, r, p, salt, digest = stored.split("$")
    work = Work(int(log2_n), int(r), int(p))
    return hmac.compare_digest(
        await _scrypt(password, bytes.fromhex(salt), work), bytes.fromhex(digest)
    )


async def _scrypt(password: str, salt: bytes, work: Work) -> bytes:
    async with _AT_ONCE:
        return await asyncio.to_thread(
            hashlib.scrypt,
            password.encode(),
            salt=salt,
            n=1 << work.log2_n,
            r=work.r,
            p=work.p,
            maxmem=work.memory_bytes,
            dklen=HASH_BYTES,
        )
