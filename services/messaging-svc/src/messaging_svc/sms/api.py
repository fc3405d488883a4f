"""Text messages at the API; short links and delivery reports, which come without a key."""

from uuid import UUID

from fastapi import Request, Response

from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import NotFound
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from messaging_svc.sms import queries, usecases
from messaging_svc.sms.posting import accept
from messaging_svc.sms.schemas import (
    CountIn,
    CountOut,
    SmsReportOut,
    SmsTemplateIn,
    SmsTemplateOut,
)
from messaging_svc.tracking.visiting import visitor_of

router = Router(prefix="/v1/sms", tags=["text messages"])
short = Router(prefix="/s")
hooks = Router(prefix="/w/sms")
_SIGNED = "the secret in the address and the provider's signature stand for a key"


@router.post("/count", policy=needs("messaging:read"))
async def count_text(body: CountIn, tx: Read) -> CountOut:
    """Return alphabet, parts and cost of a text, and which signs make it dear."""
    return usecases.size(tx, body.text, to=body.to, recipients=body.recipients)


@router.post("/templates", policy=needs("messaging:write"), status_code=201)
async def create_template(body: SmsTemplateIn, tx: Write) -> SmsTemplateOut:
    """Save a new template for text messages; a campaign names it as it names any other."""
    template_id, sizes = await usecases.create_template(tx, body)
    return SmsTemplateOut(id=template_id, version=1, languages=sizes)


@router.put("/templates/{template_id}", policy=needs("messaging:write"))
async def save_template(template_id: UUID, body: SmsTemplateIn, tx: Write) -> SmsTemplateOut:
    """Save a new version; launches that have begun keep the one they began with."""
    version, sizes = await usecases.save_template(tx, template_id, body)
    return SmsTemplateOut(id=template_id, version=version, languages=sizes)


@router.get("/reports/{message_id}", policy=needs("messaging:read"))
async def get_report(message_id: UUID, tx: Read) -> SmsReportOut:
    """Return what the provider has said of a message since it took it."""
    return await queries.get_report(tx, message_id)


@short.head("/{token}", policy=public("stands in delivered text messages"))
@short.get("/{token}", policy=public("stands in delivered text messages"))
async def follow_link(token: str, request: Request, tx: Write) -> Response:
    """Record the click and lead on; changes nothing else, whoever opens it."""
    target = await usecases.follow_short_link(tx, token, visitor_of(request.scope))
    if target is None:
        raise NotFound("This link is not one of ours, or it is incomplete")
    return Response(status_code=302, headers={"Location": target, "X-Robots-Tag": "noindex"})


@hooks.post("/{provider}/{secret}/reports", policy=public(_SIGNED))
async def take_reports(provider: str, secret: str, request: Request, tx: Write) -> Response:
    """Take what the provider says of messages that it has taken."""
    adapter, posted = await accept(request, tx, provider, secret)
    await usecases.take_reports(tx, provider, adapter.reports(posted, now=tx.clock.now()))
    return Response(status_code=200)
