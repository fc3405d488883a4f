"""What is kept of a visitor as evidence, and nothing more."""

import ipaddress
import re

from starlette.requests import Request

from kantis_kit.web.state import runtime_of

MAX_AGENT = 200
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"({_OCTET}\.{_OCTET}\.{_OCTET})\.{_OCTET}")


def network_address(request: Request) -> str:
    """Return the address the request came from, as our own edge saw it."""
    settings = runtime_of(request).scope.settings
    if getattr(settings, "trust_forwarded_for", False):
        # Our gateway writes the last entry; what stands before it was sent by anybody.
        forwarded = request.headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
        if forwarded:
            return forwarded[:64]
    return request.client.host if request.client else ""


def truncated(address: str) -> str:
    """Return a network without the part that names one machine: /24 of IPv4, /48 of IPv6."""
    plain = _IPV4.fullmatch(address)
    if plain is not None:  # as most are; the library takes twenty times as long
        return f"{plain[1]}.0/24"
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if found.version == 4 else 48  # noqa: PLR2004 - version 4 is IPv4
    return str(ipaddress.ip_network((found, bits), strict=False))


def evidence_of(request: Request) -> dict[str, str]:
    """Return what proves an act on a page: a truncated network address, the browser, the page."""
    return evidence(network_address(request), request.headers.get("user-agent", ""))


def evidence(address: str, agent: str) -> dict[str, str]:
    """Return what proves an act, of the network address and the browser's name as they came."""
    if not agent.isprintable():
        agent = "".join(sign for sign in agent if sign.isprintable())
    return {"network": truncated(address), "user_agent": agent[:MAX_AGENT]}
