"""Was it a person? A verdict on a click or an opening, from evidence that is kept, so that it can be given anew.

Careful in one direction: a doubtful click is kept and called suspect; only what is surely a machine is called one.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

MACHINE_SECONDS = 2.0
SUSPECT_SECONDS = 15.0
BURST_LINKS = 3

_SCANNERS = re.compile(
    r"bot\b|crawl|spider|scan|preview|proofpoint|barracuda|mimecast|safelinks|symantec|messagelabs|trendmicro|fireeye"
    r"|python-|curl/|wget|go-http-client|java/|okhttp|headlesschrome|phantomjs|libwww|axios|node-fetch",
    re.IGNORECASE,
)


class Verdict(StrEnum):
    """Who was it."""

    HUMAN = "human"
    SUSPECT = "suspect"
    MACHINE = "machine"


class Evidence(NamedTuple):
    """What is known of a click or an opening when it comes."""

    method: str
    user_agent: str
    delay_seconds: float | None
    """Since the mail server accepted the message; None while it has not."""
    links_of_burst: int = 1
    """Different links of the message that were followed within seconds, this one included."""


@lru_cache(maxsize=4_096)
def _is_scanner(user_agent: str) -> bool:
    return _SCANNERS.search(user_agent) is not None


_RULES: tuple[tuple[Verdict, str, Callable[[Evidence], bool]], ...] = (
    (Verdict.MACHINE, "head_request", lambda e: e.method == "HEAD"),
    (Verdict.MACHINE, "no_user_agent", lambda e: not e.user_agent.strip()),
    (Verdict.MACHINE, "known_agent", lambda e: _is_scanner(e.user_agent)),
    (Verdict.MACHINE, "faster_than_people", lambda e: (e.delay_seconds or 0.0) < MACHINE_SECONDS),
    (Verdict.SUSPECT, "many_links_at_once", lambda e: e.links_of_burst >= BURST_LINKS),
    (Verdict.SUSPECT, "very_fast", lambda e: (e.delay_seconds or 0.0) < SUSPECT_SECONDS),
)
"""The first rule that fits decides."""


def judge(evidence: Evidence) -> tuple[Verdict, str]:
    """Return the verdict and the rule that gave it."""
    for verdict, name, fits in _RULES:
        if fits(evidence):
            return verdict, name
    return Verdict.HUMAN, "no_sign_of_a_machine"


@lru_cache(maxsize=4_096)
def ip_prefix(address: str) -> str:
    """Return the network of an address, /24 or /48: enough to see a data centre, not enough to find a person."""
    try:
        a, b, c, _ = socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):
        return _other_prefix(address)
    return f"{a}.{b}.{c}.0/24"


def _other_prefix(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))  # noqa: PLR2004
