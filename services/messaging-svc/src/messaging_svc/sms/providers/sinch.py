"""Sinch, SMS REST API. Its callbacks can be signed (HMAC by service plan, on request to Sinch).

The signature is HMAC-SHA256 over `body.nonce.timestamp`, in base64, in `x-sinch-webhook-signature`.
Source: developers.sinch.com/docs/sms/api-reference (batches, delivery reports, inbounds, callbacks), the project
sinch/sinch-sdk-python; 2026-11.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime

import orjson

from kantis_kit.webhooks import signature
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.errors import Unsigned
from messaging_svc.sms.model import Received, Report, TextMessage
from messaging_svc.sms.providers.port import (
    Posted,
    Request,
    id_in,
    key_of,
    moment_of,
    object_of,
    refuse,
    text_of,
)
from messaging_svc.webhooks import is_young

_BASE = "https://eu.sms.api.sinch.com/xms/v1"
_REPORT = "recipient_delivery_report_sms"
_TEXT = "mo_text"
_STATES = {
    "dispatched": "sent", "delivered": "delivered", "failed": "failed", "expired": "failed", "rejected": "failed",
    "aborted": "failed", "cancelled": "failed", "deleted": "failed",
}  # fmt: skip
_HEADER = "x-sinch-webhook-signature"


class Sinch:
    """The adapter of Sinch."""

    name = "sinch"
    repeats = False

    def __init__(self, settings: MessagingSettings) -> None:
        self.url = f"{(settings.sms_url or _BASE).rstrip('/')}/{settings.sms_user}/batches"
        self._key = settings.sms_signing_key.get_secret_value().encode()
        self._headers = {
            "Authorization": f"Bearer {settings.sms_password.get_secret_value()}",
            "Content-Type": "application/json",
        }

    def request(self, message: TextMessage) -> Request:
        """Return the request that hands a message over, a batch of one."""
        batch = {
            "from": message.sender,
            "to": [message.to],
            "body": message.text,
            "client_reference": str(message.key),
            "delivery_report": "per_recipient" if message.report_url else "none",
        }
        if message.report_url:
            batch["callback_url"] = message.report_url
        return Request("POST", self.url, orjson.dumps(batch), self._headers)

    def accepted(self, status: int, body: bytes) -> str:
        """Return the id of the batch that was taken."""
        refuse(status, body)
        return id_in(body, "id")

    def check(self, posted: Posted, *, now: datetime) -> None:
        """Check signature and age, where a key was agreed on."""
        if not self._key:
            return
        nonce, at = posted.headers.get(f"{_HEADER}-nonce", ""), posted.headers.get(f"{_HEADER}-timestamp", "")  # fmt: skip
        wanted = signature(self._key, posted.body, nonce.encode(), at.encode())
        given = posted.headers.get(_HEADER, "")
        if not (nonce and hmac.compare_digest(given.encode(), wanted.encode())):
            raise Unsigned("The body is not signed by the key that was agreed on")
        if not is_young(at, now=now):
            raise Unsigned("The signature is too old, or of the future")

    def reports(self, posted: Posted, *, now: datetime) -> Sequence[Report]:
        """Read a report on one recipient."""
        told = object_of(posted.body)
        key, state = key_of(told.get("client_reference")), _STATES.get(text_of(told.get("status")).lower())  # fmt: skip
        if told.get("type") != _REPORT or key is None or state is None:
            return ()
        code = text_of(told.get("code"))
        at = moment_of(told.get("operator_status_at") or told.get("at"), now=now)
        return (Report(key, state, at, code, text_of(told.get("status")).lower()),)

    def received(self, posted: Posted, *, now: datetime) -> Sequence[Received]:
        """Read a message that came in; pictures and bytes are none of ours."""
        told = object_of(posted.body)
        if told.get("type") != _TEXT:
            return ()
        return (
            Received(
                text_of(told.get("id")),
                text_of(told.get("from")),
                text_of(told.get("to")),
                text_of(told.get("body")),
                moment_of(told.get("received_at") or told.get("sent_at"), now=now),
            ),
        )
