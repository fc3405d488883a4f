"""Readers who do not exist: what a template is tried out on before anybody gets it."""

from collections.abc import Mapping, Sequence

from kantis_contracts.values import Language
from messaging_svc.templates.blocks import LISTS, shown
from messaging_svc.templates.compiling import LanguageTemplate
from messaging_svc.templates.engine import FACT
from messaging_svc.templates.rendering import Compiled, Rendered
from messaging_svc.templates.texts import greeting, price

_LONG_NAME = "Ærlighet " * 20


def sample_fields(
    compiled: Compiled,
    language: Language,
    *,
    preferred_name: str,
    offer_name: str,
    price_minor: int = 49_900,
    currency: str = "NOK",
    company: str = "Kantis",
    products: Sequence[Mapping[str, object]] | None = None,
) -> dict[str, object]:
    """Return the fields of an imagined reader; the links lead nowhere.

    Without products of the template's own, who has no offer has no products, either.
    """
    blocks = _blocks(offer_name, price_minor, currency)
    if products is not None:
        blocks = {**blocks, "products": products}
    fields: dict[str, object] = {
        "preferred_name": preferred_name,
        "greeting": greeting(language, preferred_name),
        "company": company,
        "offer_name": offer_name,
        "offer_price": price(price_minor, currency, language) if offer_name else "",
        "response_url": "#response",
        "unsubscribe_url": "#unsubscribe",
        "preferences_url": "#preferences",
        "contact_url": "#contact",
        "open_url": "data:,",
        "language": language.value,
        "response_code": "C0DE1234",
        FACT: {name: f"[{name}]" for name in compiled.facts},
        **shown(blocks, language, response_url="#response"),
    }
    for position, link in enumerate(compiled.links(language)):
        fields[f"link_{position}"] = link.target or "#response"
    return fields


def _blocks(name: str, price_minor: int, currency: str) -> Mapping[str, object]:
    one = {"name": name, "price_minor": price_minor, "currency": currency}
    return {key: [one, one] for key in LISTS} if name else {}


def try_out(language: Language, one: LanguageTemplate) -> list[Rendered]:
    """Render for who has everything, who has nothing, and who has a very long name.

    Raises:
        CannotRender: what fails here would fail for people.
    """
    compiled = Compiled({language: one})
    tried = []
    for name, offer in (("Kari", "Lampe"), ("", ""), (_LONG_NAME, _LONG_NAME)):
        fields = sample_fields(compiled, language, preferred_name=name, offer_name=offer)
        tried.append(compiled.render(language, fields))
        if one.letter:
            compiled.render_letter(language, fields)
        if one.script:
            compiled.render_script(language, fields)
    return tried
