"""Any provider that takes JSON over HTTP: address, method, body and headers by settings.

It reports `{"items": [{"reference", "state", "code", "reason", "at"}]}` and delivers
`{"items": [{"id", "from", "to", "text", "at"}]}`, signed as Standard Webhooks where a key is set.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.errors import NotUnderstood, Unsigned
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
from messaging_svc.webhooks import is_standard

_STATES = frozenset({"sent", "delivered", "failed"})
_WORD = re.compile(r"\{(to|from|text|reference|report_url)\}")
_MOST = 500


class Generic:
    """The adapter of a provider of another make."""

    name = "http"

    def __init__(self, settings: MessagingSettings) -> None:
        self.url = settings.sms_url
        self.repeats = bool(settings.sms_http_idempotency_header)
        self._settings = settings
        self._body = orjson.loads(settings.sms_http_body)
        self._headers = {"Content-Type": "application/json"}
        if password := settings.sms_password.get_secret_value():
            self._headers["Authorization"] = f"Bearer {password}"

    def request(self, message: TextMessage) -> Request:
        """Return the request that hands a message over."""
        words = {
            "to": message.to,
            "from": message.sender,
            "text": message.text,
            "reference": str(message.key),
            "report_url": message.report_url,
        }
        headers = self._headers
        if self.repeats:
            headers = headers | {self._settings.sms_http_idempotency_header: str(message.key)}
        content = orjson.dumps(_filled(self._body, words))
        return Request(self._settings.sms_http_method, self.url, content, headers)

    def accepted(self, status: int, body: bytes) -> str:
        """Return the provider's id of a message that it took, where it tells one."""
        refuse(status, body)
        return id_in(body, self._settings.sms_http_id_field)

    def check(self, posted: Posted, *, now: datetime) -> None:
        """Check signature and age, where a key was agreed on."""
        key = self._settings.sms_signing_key.get_secret_value()
        if key and not is_standard(posted.headers, posted.body, key, now=now):
            raise Unsigned("The signature is missing, wrong, or more than five minutes old")

    def reports(self, posted: Posted, *, now: datetime) -> Sequence[Report]:
        """Read reports."""
        return [
            Report(
                key,
                text_of(one.get("state")),
                moment_of(one.get("at"), now=now),
                text_of(one.get("code")),
                text_of(one.get("reason")),
            )
            for one in _items(posted.body)
            if (key := key_of(one.get("reference"))) and one.get("state") in _STATES
        ]

    def received(self, posted: Posted, *, now: datetime) -> Sequence[Received]:
        """Read messages that came in."""
        return [
            Received(
                text_of(one.get("id")),
                text_of(one.get("from")),
                text_of(one.get("to")),
                text_of(one.get("text")),
                moment_of(one.get("at"), now=now),
            )
            for one in _items(posted.body)
        ]


def _items(body: bytes) -> list[dict[str, Any]]:
    items = object_of(body).get("items")
    if not isinstance(items, list) or len(items) > _MOST:
        raise NotUnderstood(f"items: a list of up to {_MOST} objects")
    return [one for one in items if isinstance(one, dict)]


def _filled(template: object, words: dict[str, str]) -> object:
    """Fill words into the texts of a JSON value: what a person wrote never becomes its structure."""
    if isinstance(template, str):
        return _WORD.sub(lambda found: words[found[1]], template)
    if isinstance(template, dict):
        return {name: _filled(value, words) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, words) for value in template]
    return template
