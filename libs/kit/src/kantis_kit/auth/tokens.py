"""Short signed tokens (JWT, Ed25519) that carry a principal from the gateway to one service."""

import base64
import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kantis_kit.auth.principal import Principal
from kantis_kit.clock import Clock
from kantis_kit.errors import Unauthenticated
from kantis_kit.signing import Keys

ISSUER = "kantis-gateway"
LIFETIME = timedelta(seconds=90)
LEEWAY_SECONDS = 10
ALGORITHM = "Ed25519"
_CACHE_SIZE = 2_048


def key_id(key: Ed25519PublicKey) -> str:
    """Return the short name of a public key."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def jwk_of(key: Ed25519PublicKey) -> dict[str, str]:
    """Return the public key in the form of a JWKS entry."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": x,
        "kid": key_id(key),
        "use": "sig",
        "alg": ALGORITHM,
    }


def issue_token(keys: Keys, principal: Principal, *, audience: str, now: datetime) -> str:
    """Sign a token for one service."""
    private = keys.private
    header = {"alg": ALGORITHM, "typ": "JWT", "kid": key_id(private.public_key())}
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": principal.id,
        "name": principal.name,
        "scopes": sorted(principal.scopes),
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()) - LEEWAY_SECONDS,
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode(header, claims, OKPKey.import_key(private), algorithms=[ALGORITHM])


class TokenVerifier:
    """Checks tokens for one service; remembers those that it has checked until they expire."""

    def __init__(self, keys: Keys, *, audience: str, clock: Clock) -> None:
        self._keys = {
            key_id(key): OKPKey.import_key(dict(jwk_of(key))) for key in keys.public("gateway")
        }
        self._audience = audience
        self._clock = clock
        self._seen: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    def verify(self, token: str) -> Principal:
        """Return the principal. Raises `Unauthenticated` for anything that is not a good, current token."""
        now = self._clock.now().timestamp()
        cached = self._seen.get(token)
        if cached is not None and now < cached[1]:
            return cached[0]
        principal, expires = self._check(token, now)
        self._seen[token] = (principal, expires)
        if len(self._seen) > _CACHE_SIZE:
            self._seen.popitem(last=False)
        return principal

    def _check(self, token: str, now: float) -> tuple[Principal, float]:
        try:
            decoded = jwt.decode(token, self._find_key, algorithms=[ALGORITHM])
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Unauthenticated("The token is not valid") from error
        claims: dict[str, Any] = decoded.claims
        expires, not_before = claims.get("exp"), claims.get("nbf", 0)
        good = (
            claims.get("iss") == ISSUER
            and claims.get("aud") == self._audience
            and isinstance(expires, int)
            and isinstance(not_before, int)
            and not_before - LEEWAY_SECONDS <= now < expires + LEEWAY_SECONDS
            and isinstance(claims.get("scopes"), list)
        )
        if not good or not isinstance(expires, int):
            raise Unauthenticated("The token is for another service, or its time is over")
        principal = Principal(
            id=str(claims.get("sub", "")),
            name=str(claims.get("name", "")),
            scopes=frozenset(map(str, claims["scopes"])),
        )
        return principal, float(expires)

    def _find_key(self, obj: Any) -> OKPKey:
        header = obj.headers()
        if set(header) - {"alg", "typ", "kid"}:
            message = "unexpected header parameters"
            raise ValueError(message)
        return self._keys[header["kid"]]
