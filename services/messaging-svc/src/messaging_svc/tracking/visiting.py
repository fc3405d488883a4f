"""Who has opened an address of ours, as far as the request shows it."""

from fastapi import Request

from messaging_svc.tracking.model import Visitor


def visitor_of(request: Request) -> Visitor:
    """Return what a visitor shows of itself; the gateway says where the request came from."""
    forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
    return Visitor(
        method=request.method,
        address=forwarded or (request.client.host if request.client else ""),
        user_agent=request.headers.get("user-agent", ""),
    )
