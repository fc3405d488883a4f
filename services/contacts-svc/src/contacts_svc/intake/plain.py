"""A post in which nothing is unusual, read without a framework: half of what a lead costs is reading it with one.

Says nothing that the pages would not say, and refuses nothing: of any other post it reads nothing, and it goes the way
that it would have gone.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import orjson
from starlette.responses import Response

from contacts_svc.intake import replies
from contacts_svc.intake.model import Form
from contacts_svc.intake.schemas import MAIN_BOX, LeadIn
from contacts_svc.intake.usecases.asking import LEAD_FIELDS
from contacts_svc.intake.usecases.leads import Posted
from contacts_svc.intake.usecases.patterns import Patterns
from contacts_svc.intake.usecases.together import is_plain
from contacts_svc.people.model import NAMES, Draft
from contacts_svc.people.plain import read_email, read_phone
from kantis_contracts.values import Language
from kantis_kit.web.middleware import Scope
from kantis_kit.web.router import stored_headers

_CODES = {"language", "country"}
_LIMITS = {
    name: next(
        one.max_length for one in LeadIn.model_fields[name].metadata if hasattr(one, "max_length")
    )
    for name in {*LEAD_FIELDS, "email", "phone", "consent_version"} - _CODES
}
_KNOWN = frozenset({*_LIMITS, *_CODES, "consent"})
_TEXTS = tuple(name for name in LEAD_FIELDS if name in _LIMITS)
_COUNTRY = re.compile(r"[A-Z]{2}")
_DIGITS = re.compile(r"\d{6}")
"""What may be a national identity number."""
_FIELDS = dict.fromkeys(LEAD_FIELDS, "")
_MOST_LANGUAGES = 1_000
_JSON = b"application/json"
_ONCE = frozenset({b"idempotency-key", b"content-type"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and stored beside its effect."""

    status: int
    content: bytes
    raw: list[tuple[bytes, bytes]]
    stored: str

    @classmethod
    def of(cls, response: Response) -> "Answer":
        """Take an answer over from the framework."""
        return cls(
            response.status_code,
            bytes(response.body),
            response.raw_headers,
            stored_headers(response),
        )


@dataclass(slots=True)
class Asked:
    """What counts of the headers of a request."""

    key: str
    is_json: bool
    is_own: bool
    """Whether nothing says that it comes from another site."""
    agent: str
    forwarded: str
    """The address that our own edge saw, when it told one."""
    accepts: str
    """The languages that the browser prefers."""


def read_headers(
    scope: Scope, kinds: tuple[bytes, ...], is_key: Callable[[str], bool]
) -> Asked | None:
    """Read the headers of a post that may go the short way; None for any other."""
    headers = scope["headers"]
    found: dict[bytes, bytes] = dict(reversed(headers))  # of those that came twice the first
    if len(found) < len(headers) and _is_doubled(headers):
        return None
    told = found.get(b"idempotency-key", b"").decode("latin-1")
    kind = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if b"authorization" in found or kind not in kinds or not is_key(told):
        return None
    last = found.get(b"x-forwarded-for", b"").rpartition(b",")[2].strip().decode("latin-1")
    return Asked(
        told,
        kind == _JSON,
        b"origin" not in found,
        found.get(b"user-agent", b"").decode("latin-1"),
        last[:64],
        found.get(b"accept-language", b"").decode("latin-1"),
    )


def _is_doubled(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Say whether a header came twice of which there may be one."""
    counted = Counter(name for name, _ in headers)
    return any(counted[name] > 1 for name in _ONCE)


class PlainForm:
    """A form as the short way knows it, with what follows from it worked out once."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.is_plain = is_plain(form)
        self.patterns = Patterns(form)
        self._languages = {name: Language(name) for name in form.consent}
        self._default = Language(form.default_language)
        self._versions = {words["version"] for words in form.consent.values()}
        self._is_spelt = _DIGITS.search(form.source) is None
        self._answers: dict[tuple[Language, bool], Answer] = {}
        self._preferred: dict[tuple[bytes, str], Language] = {}

    def read(
        self, content: bytes, asked: Asked, query: bytes, prefer: Callable[[], Language]
    ) -> tuple[Posted, Language, Answer] | None:
        """Read a post as JSON; `prefer` finds the language of a visitor who does not name one."""
        body = self._body(content)
        texts = None if body is None else _texts_of(body)
        if body is None or texts is None:
            return None
        version = texts.pop("consent_version", "")
        language = self._language(body.get("language"), asked, query, prefer)
        if language is None or (version and {version} != self._versions):
            return None
        posted = self._posted(texts, body.get("country") or self.form.country, language)
        if posted is None:
            return None
        consent = body.get("consent", False)
        if consent:
            posted.seen[MAIN_BOX] = version
        return posted, language, self._answer(language, consent=consent)

    def _body(self, content: bytes) -> dict[str, Any] | None:
        """Return a body that names nothing unusual; its texts are still to be looked at."""
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        if not self._is_spelt or type(body) is not dict or not body.keys() <= _KNOWN:
            return None
        country = body.get("country")
        is_country = country is None or (type(country) is str and _COUNTRY.fullmatch(country))
        return body if is_country and type(body.get("consent", False)) is bool else None

    def _language(
        self, given: object, asked: Asked, query: bytes, prefer: Callable[[], Language]
    ) -> Language | None:
        """Return the language of a post; None for one that the pages look at."""
        if given is not None:
            return self._languages.get(given) if type(given) is str else None
        found = self._preferred.get((query, asked.accepts))
        if found is None:
            if len(self._preferred) >= _MOST_LANGUAGES:
                self._preferred.clear()
            found = self._preferred[query, asked.accepts] = prefer()
        return found

    def _posted(self, texts: dict[str, str], country: str, language: Language) -> Posted | None:
        mail, number = texts.pop("email", ""), texts.pop("phone", "")
        email = read_email(mail) if mail else None
        phone = read_phone(number, country) if number else None
        is_plain = (email or not mail) and (phone or not number) and (email or phone)
        if not is_plain or not any(texts.get(name) for name in NAMES):
            return None
        fields = {**_FIELDS, **texts, "country": country, "language": language.value}
        given = {**fields, "source": self.form.source, "lifecycle": "lead"}
        draft = Draft(given, email, phone, after_erasure=True)
        return Posted(draft, fields, {}, [], {})

    def _answer(self, language: Language, *, consent: bool) -> Answer:
        found = self._answers.get((language, consent))
        if found is None:
            said = cast("LeadIn", SimpleNamespace(consent=consent, boxes={}))
            response = replies.as_json(self.form, said, language, link=None, headers={})
            found = self._answers[language, consent] = Answer.of(response)
        return found


def _texts_of(body: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the texts of a post without the blanks around them; None when one is too long or holds what is no sign."""
    texts: dict[str, str] = {}
    for name, value in body.items():
        most = _LIMITS.get(name)
        if most is None:
            continue
        if type(value) is not str or not value.isprintable():
            return None
        text = texts[name] = value.strip()
        if len(text) > most:
            return None
    if _DIGITS.search("\x1f".join([texts.get(name, "") for name in _TEXTS])) is not None:
        return None
    return texts


__all__ = ["Answer", "Asked", "PlainForm", "read_headers"]
