"""What a visitor is told whose post was taken: the same whoever it is and whatever is known of them."""

from collections.abc import Mapping

from fastapi import Response
from fastapi.responses import JSONResponse, RedirectResponse

from contacts_svc.intake import usecases
from contacts_svc.intake.model import Form
from contacts_svc.intake.schemas import GivenAfter, LeadIn, LeadTaken
from contacts_svc.intake.texts import TEXTS
from contacts_svc.pages import page
from kantis_contracts.values import Language


def thanks(form: Form, body: LeadIn) -> str:
    """Return the name of the words."""
    asks = body.consent or any(body.boxes.values()) or usecases.gives(form, GivenAfter.CONFIRMATION)
    return "thanks" if asks else "thanks_plain"


def as_json(
    form: Form, body: LeadIn, language: Language, *, link: str | None, headers: Mapping[str, str]
) -> Response:
    """Thank a script; `link` leads to the form's file."""
    answer = LeadTaken(message=TEXTS[language][thanks(form, body)], download=link)
    return JSONResponse(
        answer.model_dump(exclude_none=True), status_code=202, headers=dict(headers)
    )


def as_page(
    form: Form, body: LeadIn, language: Language, *, file: Mapping[str, str] | None
) -> Response:
    """Thank a person, or send them to where the post wanted them to go, if the form lists that."""
    if body.next and body.next in form.redirects:
        return RedirectResponse(body.next, status_code=303)
    return page(
        "thanks.html",
        language=language,
        texts=TEXTS[language],
        title=form.titles[language.value],
        message=TEXTS[language][thanks(form, body)],
        file=file,
    )
