"""Count and save texts; lead on from short links; take delivery reports."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.values import Channel, Language
from kantis_kit.tx import ReadTx, Tx
from messaging_svc.bounces import usecases as bounces
from messaging_svc.bounces.model import Incident
from messaging_svc.bounces.queries import Sent, find_sent
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms import events, queries
from messaging_svc.sms.counting import MOST_PARTS, count, plain, price_minor
from messaging_svc.sms.errors import TextRefused
from messaging_svc.sms.failures import why
from messaging_svc.sms.links import LENGTH
from messaging_svc.sms.model import Report, sms_report
from messaging_svc.sms.schemas import CountOut, ForcingOut, SmsTemplateIn
from messaging_svc.sms.texts import compile_text
from messaging_svc.templates import usecases as templates
from messaging_svc.templates.engine import TAG
from messaging_svc.templates.errors import CannotRender, Flaw
from messaging_svc.templates.schemas import LanguageIn, SaveIn, TemplateIn
from messaging_svc.templates.texts import greeting
from messaging_svc.tracking import queries as tracked
from messaging_svc.tracking import usecases as tracking
from messaging_svc.tracking.model import Visitor

_RANK = {"sent": 1, "failed": 2, "delivered": 3}
"""A report never takes a message back: one that arrived has arrived, whatever comes late."""


def size(tx: ReadTx, text: str, *, to: str = "", recipients: int = 1) -> CountOut:
    """Return what a text takes and costs."""
    settings = tx.settings(MessagingSettings)
    counted = count(text)
    each = price_minor(to, list(settings.sms_prices_minor.items()), settings.sms_price_minor)
    return CountOut(
        encoding="gsm7" if counted.encoding == "gsm7" else "ucs2",
        characters=counted.characters,
        units=counted.units,
        segments=counted.segments,
        room=counted.room,
        forcing=[
            ForcingOut(character=one.character, count=one.count, instead=one.instead)
            for one in counted.forcing
        ],
        plain_segments=count(plain(text)).segments,
        cost_minor=counted.segments * each * recipients,
        currency=settings.sms_currency,
    )


def check_texts(tx: ReadTx, languages: Mapping[Language, str]) -> dict[Language, CountOut]:
    """Check texts and return the size that each has for an imagined reader.

    Raises:
        TextRefused: with one line per language that has a flaw.
    """
    settings = tx.settings(MessagingSettings)
    sizes: dict[Language, CountOut] = {}
    errors: list[dict[str, Any]] = []
    link = f"{settings.public_url.rstrip('/')}/s/{'x' * LENGTH}"
    for language, text in sorted(languages.items()):
        fields = {
            "preferred_name": "Kari",
            "greeting": greeting(language, "Kari"),
            "company": settings.company,
            "offer_name": "Lampe",
            "offer_price": "499 kr",
        }
        try:
            ready = compile_text(text, language, reply_number=settings.sms_reply_number)
            shown = ready.render(fields, dict.fromkeys(range(len(ready.slots)), link))
            sizes[language] = _within_bounds(size(tx, shown))
        except (Flaw, CannotRender) as flaw:
            errors.append(
                {"in": "body", "field": f"languages.{language.value}", "message": str(flaw)}
            )
    if errors:
        first = errors[0]
        raise TextRefused(f"{first['field']}: {first['message']}", errors=errors)
    return sizes


def _within_bounds(counted: CountOut) -> CountOut:
    if counted.segments > MOST_PARTS:
        raise Flaw(f"text: has {counted.segments} parts; {MOST_PARTS} are the most")
    return counted


def _as_template(body: SmsTemplateIn) -> dict[Language, LanguageIn]:
    """Return texts as a template keeps them: with a page of the same words, so that it can be sent by mail too."""
    return {
        language: LanguageIn(
            subject=body.name,
            html=f"<p>{TAG.sub(lambda tag: tag[0], escape(text, quote=False))}</p>",
            text=text,
        )
        for language, text in body.languages.items()
    }


async def create_template(tx: Tx, body: SmsTemplateIn) -> tuple[UUID, dict[Language, CountOut]]:
    """Save a new template for text messages.

    Raises:
        TextRefused: something in it cannot be sent.
    """
    sizes = check_texts(tx, body.languages)
    return await templates.create_template(
        tx, TemplateIn(name=body.name, languages=_as_template(body))
    ), sizes


async def save_template(
    tx: Tx, template_id: UUID, body: SmsTemplateIn
) -> tuple[int, dict[Language, CountOut]]:
    """Save a new version of a template for text messages.

    Raises:
        TextRefused: something in it cannot be sent.
        TemplateNotFound: there is no such template.
    """
    sizes = check_texts(tx, body.languages)
    return await templates.save_version(
        tx, template_id, SaveIn(languages=_as_template(body))
    ), sizes


async def follow_short_link(tx: Tx, token: str, visitor: Visitor) -> str | None:
    """Record a click and return where the link leads; None when link or message is gone."""
    found = await queries.find_link(tx, token)
    if found is None:
        return None
    message_id, position, slot = found
    message = await tracked.find_message(tx, message_id)
    target = queries.target_of(tx, slot, message) if message else None
    if message is None or target is None:
        return None
    await tracking.record_click(tx, message, position, visitor)
    return target


async def take_reports(tx: Tx, provider: str, reports: Sequence[Report]) -> int:
    """Keep what a provider says of messages, in whatever order and how often it says it; return how many were news.

    What failed is treated as a bounce is; what is said of messages that we do not know is left out.
    """
    sent = await find_sent(tx, {one.message_id for one in reports})
    best: dict[UUID, Report] = {}
    for one in reports:
        held = best.get(one.message_id)
        known = sent.get(one.message_id)
        if known is None or known.channel != Channel.SMS.value:
            continue
        if held is None or _RANK[one.state] > _RANK[held.state]:
            best[one.message_id] = one
    news = await _keep_reports(tx, best, sent)
    failed = [one for one in news if one.state == "failed"]
    delivered = [one for one in news if one.state == "delivered"]
    await bounces.take(tx, [_incident(provider, one) for one in failed])
    await bounces.arrived(
        tx,
        [
            (hashed, Channel.SMS.value, one.message_id)
            for one in delivered
            if (hashed := sent[one.message_id].address_hash) is not None
        ],
    )
    tx.stage(
        events.arrived(
            (one.message_id, person_id, one.occurred_at)
            for one in delivered
            if sent[one.message_id].is_current
            and (person_id := sent[one.message_id].person_id) is not None
        )
    )
    return len(news)


async def _keep_reports(
    tx: Tx, best: Mapping[UUID, Report], sent: Mapping[UUID, Sent]
) -> list[Report]:
    if not best:
        return []
    now = tx.clock.now()
    new = insert(sms_report).values(
        [
            {
                "message_id": id_, "person_id": sent[id_].person_id, "state": one.state, "code": one.code[:50],
                "reason": one.reason[:300], "occurred_at": min(one.occurred_at, now), "reported_at": now,
            }
            for id_, one in sorted(best.items())
        ]
    )  # fmt: skip

    def rank(state: ColumnElement[str]) -> ColumnElement[int]:
        return case(_RANK, value=state)

    stored = await tx.scalars(
        new.on_conflict_do_update(
            index_elements=["message_id"],
            set_={
                name: new.excluded[name]
                for name in ("state", "code", "reason", "occurred_at", "reported_at")
            },
            where=rank(sms_report.c.state) < rank(new.excluded.state),
        ).returning(sms_report.c.message_id)
    )
    return [best[id_] for id_ in stored]


def _incident(provider: str, report: Report) -> Incident:
    return Incident(
        source="report",
        external_id=f"{report.message_id}:failed",
        channel=Channel.SMS.value,
        verdict=why(provider, report),
        occurred_at=report.occurred_at,
        message_id=report.message_id,
        status=report.code[:50],
        diagnostic=report.reason,
    )
