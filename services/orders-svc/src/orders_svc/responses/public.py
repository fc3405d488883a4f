"""The page behind the code on a piece: it shows the offer and takes the answer.

Whoever holds the code sees the offer and nothing about the person it was sent to.
"""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from kantis_contracts.codes import normal
from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_contracts.values import Language
from kantis_kit.auth.policy import public
from kantis_kit.errors import Invalid
from kantis_kit.money import in_words
from kantis_kit.tx import ReadTx
from kantis_kit.web import Read, Router, Write
from kantis_kit.web.languages import preferred_language
from orders_svc.catalogue.queries import find_products
from orders_svc.codes.queries import Resolved, find_code
from orders_svc.people.queries import find_person
from orders_svc.responses import usecases
from orders_svc.responses.errors import CodeUnknown
from orders_svc.responses.model import NextStep
from orders_svc.responses.model import Response as Answer
from orders_svc.responses.pages import PAGES
from orders_svc.responses.schemas import WebAnswerIn, WebAnswerOut, WebOfferOut
from orders_svc.responses.texts import TEXTS

router = Router(prefix="/r")
WHY = public("the code on the piece is the key, and the page shows nothing about its person")
MAX_CODE = 40
MAX_FIELDS = 60


@router.get("/{code}", policy=WHY, response_class=Response)
async def show_offer(code: str, request: Request, tx: Read) -> Response:
    """Show what the piece offered, in its reader's language."""
    known, language = await _known(tx, code, request)
    if known is None:
        return _unknown(request, language)
    product = (await find_products(tx, [known.product_id] if known.product_id else [])).values()
    first = next(iter(product), None)
    price, currency = known.price_minor, known.currency
    if price is None and first is not None:
        price, currency = first.price_minor, first.currency
    offer = WebOfferOut(
        code=known.response_code,
        language=language,
        offer=known.offer_name or (first.name if first else ""),
        price=in_words(price, currency, language) if price is not None and currency else "",
        can_order=first is not None,
    )
    if _wants_json(request):
        return JSONResponse(offer.model_dump(mode="json"))
    return _page("offer", language, **offer.model_dump(exclude={"language"}))


@router.post("/{code}", policy=WHY, response_class=Response)
async def take_answer(code: str, request: Request, tx: Write) -> Response:
    """Register the answer; the same answer again gives the first one back."""
    known, language = await _known(tx, code, request)
    if known is None:
        return _unknown(request, language)
    try:
        given = WebAnswerIn.model_validate(await _body(request))
    except ValidationError as error:
        return _bad(request, language, error)
    (registered,) = await usecases.register_responses(
        tx,
        [
            usecases.ResponseDraft(
                kind=given.kind,
                way=ResponseWay.WEB,
                code=known.response_code,
                quantity=given.quantity,
                address_correction=given.address_correction.model_dump()
                if given.address_correction
                else None,
                answers=tuple(one.model_dump() for one in given.answers),
                note=given.note,
                again=given.again,
            )
        ],
    )
    number = registered.order.number if registered.order else None
    answer = WebAnswerOut(
        code=known.response_code,
        kind=registered.response.kind,
        is_new=registered.is_new,
        order_number=number,
        next_step=registered.response.next_step,
        message=_message(language, number, registered.response),
    )
    if _wants_json(request):
        return JSONResponse(answer.model_dump(mode="json"), 201 if answer.is_new else 200)
    return _page("thanks", language, quantity=given.quantity, **answer.model_dump())


def _message(language: str, number: str | None, response: Answer) -> str:
    texts = TEXTS[language]
    if number is not None:
        return texts["ordered"].format(number=number)
    if response.kind == ResponseKind.REFUSAL:
        return texts["refused"]
    return texts["back_order"] if response.next_step == NextStep.BACK_ORDER else texts["asked"]


async def _known(tx: ReadTx, code: str, request: Request) -> tuple[Resolved | None, str]:
    accepted = request.headers.get("accept-language", "")
    language = preferred_language(accepted, list(Language), Language.EN).value
    if len(code) > MAX_CODE or not code.isascii() or not code.isprintable():
        return None, language
    known = await find_code(tx, normal(code))
    person = await find_person(tx, known.person_id if known else None)
    if person is None:
        return known, language
    return (None if person.is_erased else known), person.language


async def _body(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            body = await request.json()
        except ValueError as error:
            raise Invalid("body: this is not JSON") from error
        return body if isinstance(body, dict) else {"body": body}
    form = await request.form(max_files=0, max_fields=MAX_FIELDS)
    return _nested({name: value for name, value in form.items() if isinstance(value, str)})


def _nested(form: dict[str, str]) -> dict[str, Any]:
    """Return a form's fields as a body: `answer.<question>` are answers, `address.<part>` the corrected address."""
    parts = {name: name.partition(".") for name in form}
    body: dict[str, Any] = {name: form[name] for name, (_, dot, _) in parts.items() if not dot}
    answers = [
        {"question": question, "answer": form[name]}
        for name, (first, _, question) in parts.items()
        if first == "answer" and question and form[name].strip()
    ]
    address = {
        part: form[name]
        for name, (first, _, part) in parts.items()
        if first == "address" and part and form[name].strip()
    }
    if answers:
        body["answers"] = answers
    if address:
        body["address_correction"] = address
    return body


def _wants_json(request: Request) -> bool:
    sent = request.headers.get("content-type", "")
    wanted = request.headers.get("accept", "")
    return sent.startswith("application/json") or (
        "application/json" in wanted and "text/html" not in wanted
    )


def _unknown(request: Request, language: str) -> Response:
    texts = TEXTS[language]
    if _wants_json(request):
        raise CodeUnknown(texts["unknown"])
    return _page(
        "refused", language, 404, heading=texts["unknown_title"], sentence=texts["unknown"]
    )


def _bad(request: Request, language: str, error: ValidationError) -> Response:
    texts = TEXTS[language]
    if _wants_json(request):
        found = [
            {"in": "body", "field": ".".join(map(str, one["loc"])), "message": one["msg"]}
            for one in error.errors()
        ]
        raise Invalid(texts["bad"], errors=found)
    return _page("refused", language, 422, heading=texts["bad_title"], sentence=texts["bad"])


def _page(name: str, language: str, status: int = 200, **words: object) -> Response:
    return PAGES.page(name, Language(language), status, **words)
