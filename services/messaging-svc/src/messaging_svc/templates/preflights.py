"""Tell campaigns, before they are launched, what they would meet with their templates."""

from collections.abc import Mapping, Sequence

from kantis_contracts.campaign import PreflightRequest, TemplateUse
from kantis_contracts.messaging import TemplateCheck, TemplateFinding
from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx, Tx
from messaging_svc.templates import checking, events, queries
from messaging_svc.templates.errors import TemplateNotFound
from messaging_svc.templates.rendering import Compiled
from messaging_svc.templates.schemas import CheckIn, FindingOut, Severity

_OF_FIELDS = "field-"
_PLACES: Mapping[Channel, frozenset[str]] = {
    Channel.EMAIL: frozenset({"launch", "subject", "preheader", "html", "text"}),
    Channel.LETTER: frozenset({"launch", "letter"}),
}
"""What of a template matters to a channel; to the others, whether the launch fills its fields."""
_UNKNOWN = TemplateFinding(
    code="template-unknown",
    severity=Severity.ERROR.value,
    message="There is no such template",
    mend="name one that stands under /v1/templates",
)


async def answer_preflights(tx: Tx, requests: Sequence[PreflightRequest]) -> None:
    """Check the templates of each pre-flight; one that has none is not asked about."""
    for request in requests:
        checks = [await _check(tx, use) for use in request.templates]
        if checks:
            tx.stage(events.checked(request, checks))


async def _check(tx: ReadTx, use: TemplateUse) -> TemplateCheck:
    try:
        version, stored = await queries.get_version(tx, use.template_id)
    except TemplateNotFound:
        findings = [_UNKNOWN]
    else:
        # A text message is kept with a page of the same words, so that its fields are found as those of a mail.
        asked = CheckIn(
            channel=use.channel if use.channel in _PLACES else Channel.EMAIL,
            has_offer=use.has_offer,
            has_products=use.has_products,
        )
        found = await checking.check(tx, version, Compiled.from_json(stored), asked)
        places = _PLACES.get(use.channel, frozenset({"launch"}))
        findings = [_told(one) for one in found.findings if one.place in places]
    return TemplateCheck(
        cell_id=use.cell_id,
        channel=use.channel,
        template_id=use.template_id,
        findings=tuple(findings),
    )


def _told(found: FindingOut) -> TemplateFinding:
    # What is found of a field begins with its name.
    field = found.message.partition(" ")[0] if found.code.startswith(_OF_FIELDS) else ""
    return TemplateFinding(
        code=found.code,
        severity=found.severity.value,
        language=found.language,
        field=field,
        message=found.message,
        mend=found.mend,
    )
