"""Who has opened an address of ours, as far as the request shows it."""

from kantis_kit.web.middleware import Scope
from messaging_svc.tracking.model import Visitor


def visitor_of(scope: Scope) -> Visitor:
    """Return what a visitor shows of itself; the gateway says where the request came from.

    Read from the request as it came: there may be thousands a second, and two of its headers are all that counts.
    """
    forwarded = agent = None
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            forwarded = value if forwarded is None else forwarded
        elif name == b"user-agent":
            agent = value if agent is None else agent
    address = (forwarded or b"").decode("latin-1").partition(",")[0].strip()
    client = scope.get("client")
    return Visitor(
        method=scope["method"],
        address=address or (client[0] if client else ""),
        user_agent=(agent or b"").decode("latin-1"),
    )
