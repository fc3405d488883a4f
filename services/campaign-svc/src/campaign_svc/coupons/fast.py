"""The short way of a redemption: a pure ASGI branch in front of the API, where many tills share a commit.

It answers only what it can answer with success; a caller who may not, a body that does not fit, a coupon that is not good
and a request under an idempotency key go to the API as they came.
"""

import re
from types import SimpleNamespace

from pydantic import ValidationError

from campaign_svc.coupons.redeeming import Tills
from campaign_svc.coupons.schemas import RedemptionIn
from kantis_kit import observability
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import TokenVerifier
from kantis_kit.db.database import is_away
from kantis_kit.errors import AppError
from kantis_kit.service import Service
from kantis_kit.web.middleware import App, Message, Receive, Scope, Send
from kantis_kit.web.short import again, caller_of, json_headers

log = observability.get_logger(__name__)

REDEEM_SCOPE = "campaign:redeem"
MOST_BYTES = 4_096
_PATH = re.compile(r"/v1/coupons/([^/]{1,40})/redemptions")
_ROUTE = SimpleNamespace(path="/v1/coupons/{code}/redemptions")


def fast_tills(service: Service, app: App) -> App:
    """Put the short way in front of the API."""
    return FastTills(service, app)


class FastTills:
    """Takes redemptions as tills send them."""

    def __init__(self, service: Service, app: App) -> None:
        self._app = app
        self._scope = service.scope
        self._tills: Tills = service.scope.extras[Tills]
        self._verifier = TokenVerifier(
            service.keys, audience=service.spec.name, clock=service.clock
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        found = _PATH.fullmatch(scope["path"]) if is_post else None
        till = self._till(scope) if found is not None else None
        if found is None or till is None:
            await self._app(scope, receive, send)
            return
        first = await receive()
        content = await self._answer(found[1], first, till)
        if content is None:
            await self._app(scope, again([first], receive), send)
            return
        scope["route"] = _ROUTE
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _till(self, scope: Scope) -> Principal | None:
        """Return who calls, when they may and send JSON without a key."""
        headers = json_headers(scope["headers"])
        if headers is None or b"idempotency-key" in headers:
            return None
        return caller_of(headers, self._verifier, REDEEM_SCOPE)

    async def _answer(self, code: str, message: Message, till: Principal) -> bytes | None:
        body = message.get("body", b"")
        if message.get("more_body") or len(body) > MOST_BYTES:
            return None
        try:
            wanted = RedemptionIn.model_validate_json(body)
            redeemed = await self._tills.redeem(self._scope, code, wanted, by=till.id)
        except (AppError, ValidationError):
            return None  # refused by the API, in its words
        except Exception as error:  # noqa: BLE001 - the API finds the same, and says what it is
            level = log.info if is_away(error) else log.warning
            level("coupons.not_together", error=type(error).__name__)
            return None
        return redeemed.model_dump_json().encode()
