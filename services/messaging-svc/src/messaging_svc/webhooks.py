"""Is it really them? Secrets in addresses, and signatures over a moment and a body.

Source: Standard Webhooks 1.0 (standardwebhooks.com): `id.timestamp.body`, HMAC-SHA256, base64, `v1,` before it; 2026-11.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from kantis_kit.webhooks import PREFIX, signature

TOLERANCE = timedelta(minutes=5)
"""Older or younger than this, a signature does not count: a copy that somebody kept is worth nothing."""


def is_secret(given: str, secret: str) -> bool:
    """Say whether a part of an address is the secret that was agreed on; none agreed on means no."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def is_young(timestamp: str, *, now: datetime) -> bool:
    """Say whether a moment in seconds since 1970 lies near now."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004 - far beyond our time
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE.total_seconds()


def is_standard(headers: Mapping[str, str], body: bytes, secret: str, *, now: datetime) -> bool:
    """Say whether a body carries a young signature in the form of Standard Webhooks."""
    id_, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not is_young(at, now=now):
        return False
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return False
    wanted = signature(key, id_.encode(), at.encode(), body).encode()
    given = [
        one.partition(",")[2]
        for one in headers.get("webhook-signature", "").split()
        if one.startswith("v1,")
    ]
    return any(hmac.compare_digest(one.encode(), wanted) for one in given)
