"""What other systems tell of people's situation, and of organisations; rules that wait for it act at once."""

from campaign_svc.context import usecases
from campaign_svc.context.schemas import CompanyEventsIn, ContextsIn, TakenOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/context-events", tags=["rules"])
companies = Router(prefix="/v1/company-events", tags=["rules"])
TELL = needs("campaign:write")


@router.post("", policy=TELL, status_code=202)
async def take_contexts(body: ContextsIn, tx: Write) -> TakenOut:
    """Tell where people are, or what else is true of their situation now."""
    return await usecases.take_contexts(tx, body)


@companies.post("", policy=TELL, status_code=202)
async def take_company_events(body: CompanyEventsIn, tx: Write) -> TakenOut:
    """Tell news of organisations, such as a quarterly result."""
    return await usecases.take_company_events(tx, body)
