"""What is kept of a visitor as evidence, and nothing more."""

import ipaddress

from starlette.requests import Request

from kantis_kit.web.state import runtime_of

MAX_AGENT = 200


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
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if found.version == 4 else 48  # noqa: PLR2004 - version 4 is IPv4
    return str(ipaddress.ip_network((found, bits), strict=False))


def evidence_of(request: Request) -> dict[str, str]:
    """Return what proves an act on a page: a truncated network address, the browser, the page."""
    agent = "".join(sign for sign in request.headers.get("user-agent", "") if sign.isprintable())
    return {"network": truncated(network_address(request)), "user_agent": agent[:MAX_AGENT]}
