"""LINK Mobility, SMS REST API of the "Common" platform. It signs nothing: the secret in the address stands for it.

Its support enters that address into the gate. A reference is mirrored in reports, and nothing more: sending twice costs
twice. Source: LINK Mobility SMS REST API, MT and delivery reports 1.6 and 2.4, MO messages 1.1; 2026-11.
"""

import base64
from collections.abc import Sequence
from datetime import datetime

import orjson

from messaging_svc.settings import MessagingSettings
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

_BASE = "https://wsx.sp247.net"
_DELIVERED = frozenset({1001, 1007})
_SENT = frozenset({1000, 1005, 1008, 1011, 1012})
"""The other codes are ends."""
_SHORT_NUMBER_DIGITS = 6


class Link:
    """The adapter of LINK Mobility."""

    name = "link"
    repeats = False

    def __init__(self, settings: MessagingSettings) -> None:
        self.url = f"{(settings.sms_url or _BASE).rstrip('/')}/sms/send"
        self._settings = settings
        login = f"{settings.sms_user}:{settings.sms_password.get_secret_value()}"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Content-Type": "application/json",
        }

    def request(self, message: TextMessage) -> Request:
        """Return the request that hands a message over."""
        gate = self._settings.sms_gate_id
        sent = {
            "source": message.sender,
            "sourceTON": _kind_of(message.sender),
            "destination": message.to,
            "userData": message.text,
            "platformId": self._settings.sms_platform_id,
            "platformPartnerId": self._settings.sms_partner_id,
            "refId": str(message.key),
            "useDeliveryReport": bool(gate),
            "ignoreResponse": False,
        }
        if gate:
            sent["deliveryReportGates"] = [gate]
        return Request("POST", self.url, orjson.dumps(sent), self._headers)

    def accepted(self, status: int, body: bytes) -> str:
        """Return the id of a message that was queued."""
        refuse(status, body)
        return id_in(body, "messageId")

    def check(self, posted: Posted, *, now: datetime) -> None:
        """Nothing is signed."""

    def reports(self, posted: Posted, *, now: datetime) -> Sequence[Report]:
        """Read a report; of a message in several parts, each part has one, and the first that failed or arrived counts."""
        told = object_of(posted.body)
        key, code = key_of(told.get("refId")), told.get("resultCode")
        if key is None or not isinstance(code, int):
            return ()
        state = "delivered" if code in _DELIVERED else "sent" if code in _SENT else "failed"
        return (Report(key, state, moment_of(told.get("timestamp"), now=now), str(code)),)

    def received(self, posted: Posted, *, now: datetime) -> Sequence[Received]:
        """Read a message that came in."""
        told = object_of(posted.body)
        return (
            Received(
                text_of(told.get("id")),
                text_of(told.get("source")),
                text_of(told.get("destination")),
                text_of(told.get("userData")),
                moment_of(told.get("deliveryTime") or told.get("timestamp"), now=now),
            ),
        )


def _kind_of(sender: str) -> str:
    digits = sender.removeprefix("+")
    if not digits.isdigit():
        return "ALPHANUMERIC"
    return "SHORTNUMBER" if len(digits) <= _SHORT_NUMBER_DIGITS else "MSISDN"
