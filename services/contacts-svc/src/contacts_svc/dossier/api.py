"""Everything about a person, at the API."""

from uuid import UUID

from fastapi import Request, Response
from starlette.responses import HTMLResponse

from contacts_svc.dossier import queries
from contacts_svc.dossier.schemas import DossierOut
from contacts_svc.dossier.texts import GROUPS, ORDER, TEXTS
from contacts_svc.pages import choose_language, page
from kantis_contracts.values import Language
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts/{contact_id}/export", tags=["privacy"])


# Who looked at everything about a person is written down: these two need a transaction that writes.
@router.get("", policy=needs("contacts:write", privileged=True))
async def export_contact(contact_id: UUID, tx: Write) -> DossierOut:
    """Give everything that contacts holds about a person."""
    return await queries.gather(tx, contact_id)


@router.get(
    "/page",
    policy=needs("contacts:write", privileged=True),
    response_model=None,
    response_class=HTMLResponse,
)
async def show_export(contact_id: UUID, request: Request, tx: Write) -> Response:
    """Give the same as a page to read and print, in the language asked for by `?lang=`, else that of the person."""
    found = await queries.gather(tx, contact_id)
    own = Language(found.profile["language"])
    asked = request.query_params.get("lang", "")
    language = choose_language(request, list(Language), own) if asked else own
    texts = TEXTS[language]
    groups = [
        (
            texts[heading],
            [
                (name, rows)
                for name, rows in found.records.items()
                if GROUPS.get(name, ORDER[-1]) == heading
            ],
        )
        for heading in ORDER
    ]
    return page(
        "dossier.html",
        language=language,
        texts=texts,
        profile=found.profile,
        groups=[(heading, kinds) for heading, kinds in groups if kinds],
    )
