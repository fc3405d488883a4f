"""46elks. It signs nothing: the secret in the address stands for it.

Source: 46elks.com/docs/send-sms, /docs/sms-delivery-reports, /docs/receive-sms; 2026-11.
"""

import base64
from collections.abc import Sequence
from datetime import datetime

from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.model import Received, Report, TextMessage
from messaging_svc.sms.providers.port import (
    Posted,
    Request,
    fields_of,
    form_of,
    id_in,
    key_of,
    moment_of,
    refuse,
    text_of,
)

_BASE = "https://api.46elks.com/a1"
_STATES = frozenset({"sent", "delivered", "failed"})


class Elks46:
    """The adapter of 46elks."""

    name = "46elks"
    repeats = False

    def __init__(self, settings: MessagingSettings) -> None:
        self.url = f"{(settings.sms_url or _BASE).rstrip('/')}/sms"
        login = f"{settings.sms_user}:{settings.sms_password.get_secret_value()}"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def request(self, message: TextMessage) -> Request:
        """Return the request that hands a message over; its report comes with our id in the address."""
        form = {"from": message.sender, "to": message.to, "message": message.text}
        if message.report_url:
            form["whendelivered"] = f"{message.report_url}?key={message.key}"
        return Request("POST", self.url, form_of(form), self._headers)

    def accepted(self, status: int, body: bytes) -> str:
        """Return the id of a message that was taken."""
        refuse(status, body)
        return id_in(body, "id")

    def check(self, posted: Posted, *, now: datetime) -> None:
        """Nothing is signed."""

    def reports(self, posted: Posted, *, now: datetime) -> Sequence[Report]:
        """Read a report."""
        form = fields_of(posted.body)
        key, state = key_of(posted.query.get("key")), form.get("status", "")
        if key is None or state not in _STATES:
            return ()
        at = moment_of(form.get("delivered"), now=now)
        return (Report(key, state, at, reason="failed" if state == "failed" else ""),)

    def received(self, posted: Posted, *, now: datetime) -> Sequence[Received]:
        """Read a message that came in."""
        form = fields_of(posted.body)
        return (
            Received(
                text_of(form.get("id")),
                text_of(form.get("from")),
                text_of(form.get("to")),
                text_of(form.get("message")),
                moment_of(form.get("created"), now=now),
            ),
        )
