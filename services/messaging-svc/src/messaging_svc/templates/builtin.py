"""Messages of our own: confirmations and what customers must be told. Transactional, without a word of sales.

One layout, one catalogue of words per language; whoever asks for the message supplies its facts as ready words.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import orjson

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.rendering import Compiled

ANSWER = "answer"
"""What a person of ours writes: nothing but their words."""
_CLAIM = (
    "invoice_number",
    "principal",
    "fee",
    "interest",
    "amount",
    "due_on",
    "reference",
    "bank_account",
)
FACTS: Mapping[str, tuple[str, ...]] = {
    "confirmation": ("confirm_url",),
    "own_data": ("confirm_url",),
    "own_erase": ("confirm_url",),
    "report_ready": ("report_name", "report_days", "file_url"),
    "report_gone": ("report_name",),
    "order_placed": ("order_number", "lines", "amount"),
    "order_waiting": ("order_number", "lines", "amount", "promised_on", "instead"),
    "order_promised": ("order_number", "lines", "promised_on"),
    "order_filled": ("order_number", "lines"),
    "order_substituted": ("order_number", "lines", "amount"),
    "order_changed": ("order_number", "lines", "amount"),
    "order_cancelled": ("order_number", "lines"),
    "order_shipped": ("order_number", "lines", "tracking"),
    "order_delayed": ("order_number", "lines"),
    "order_shortened": ("order_number", "lines"),
    "order_delivered": ("order_number", "lines"),
    "return_announced": ("order_number", "return_number", "lines"),
    "return_received": ("order_number", "return_number", "lines", "refund"),
    "invoice_issued": (
        "order_number",
        "invoice_number",
        "amount",
        "due_on",
        "reference",
        "bank_account",
        "document_url",
    ),
    "credit_note_issued": (
        "order_number",
        "invoice_number",
        "credit_note_number",
        "credited",
        "reason",
        "document_url",
    ),
    # Dunning: a kind of its own for each step of the law, so that nothing else is ever said with it.
    "payment_reminder": _CLAIM,
    "collection_warning": _CLAIM,
    ANSWER: ("subject", "text"),
}
"""Kinds of messages, and the facts that each can show; one that is not given is left out."""
PAPER = frozenset({"payment_reminder", "collection_warning"})
"""What is written on paper, too: asking for money must not fail because nobody knows an e-mail address."""

_COMMON = ("greeting", "preferred_name", "company", "contact_url")
_STYLE = (
    "body{font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#1c1c1c;background:#fff;"
    "margin:0;padding:24px}table{border-collapse:collapse}th{text-align:left;font-weight:normal;color:#595959;"
    "padding:4px 24px 4px 0;vertical-align:top}td{padding:4px 0;white-space:pre-line}a.button{display:inline-block;background:#0b5cad;color:#fff;"
    "padding:12px 20px;text-decoration:none;border-radius:4px}"
)


def _catalogue() -> dict[str, dict[str, str]]:
    text = (files("messaging_svc.templates") / "texts.json").read_bytes()
    loaded: dict[str, dict[str, str]] = orjson.loads(text)
    return loaded


def _answer(language: str) -> LanguageSource:
    html = (
        f'<html lang="{language}"><head><meta charset="utf-8"><style>{_STYLE}</style></head><body>'
        '<p style="white-space:pre-line">{{ text }}</p></body></html>'
    )
    return LanguageSource(subject="{{ subject }}", html=html, text="{{ text }}")


def _source(kind: str, words: Mapping[str, str], language: str) -> LanguageSource:
    if kind == ANSWER:
        return _answer(language)
    rows = "".join(
        f"{{% if {fact} %}}<tr><th>{words[f'fact.{fact}']}</th><td>{{{{ {fact} }}}}</td></tr>{{% endif %}}"
        for fact in FACTS[kind]
        if not fact.endswith("_url")
    )
    action = "".join(
        f'{{% if {fact} %}}<p><a class="button" href="{{{{ {fact} }}}}">{words[f"{kind}.button"]}</a></p>{{% endif %}}'
        for fact in FACTS[kind]
        if fact.endswith("_url")
    )
    after = f"<p>{words[f'{kind}.after']}</p>" if words.get(f"{kind}.after") else ""
    html = (
        f'<html lang="{language}"><head><meta charset="utf-8"><style>{_STYLE}</style></head><body>'
        f"<p>{{{{ greeting() }}}},</p><p>{words[f'{kind}.body']}</p><table>{rows}</table>{action}{after}"
        f"<p>{words['regards']}<br>{{{{ company }}}}</p>"
        f'<p><a href="{{{{ contact_url }}}}">{CONTACT[Language(language)]}</a></p></body></html>'
    )
    return LanguageSource(
        subject=words[f"{kind}.subject"],
        html=html,
        letter=_paper(kind, words) if kind in PAPER else "",
    )


def _paper(kind: str, words: Mapping[str, str]) -> str:
    """Return what is printed for who has no e-mail address: the same words and facts, without buttons."""
    rows = "".join(
        f"{{% if {fact} %}}- {words[f'fact.{fact}']}: **{{{{ {fact} }}}}**\n{{% endif %}}"
        for fact in FACTS[kind]
    )
    after = words.get(f"{kind}.after", "")
    parts = ("{{ greeting() }},", words[f"{kind}.body"], rows, after)
    return "\n\n".join((*filter(None, parts), f"{words['regards']}\n{{{{ company }}}}"))


@cache
def builtin(kind: str) -> Compiled | None:
    """Return a message of our own in every language, or None for a kind that we do not have."""
    if kind not in FACTS:
        return None
    fields = (*_COMMON, *FACTS[kind])
    return Compiled(
        {
            Language(name): compile_language(
                _source(kind, words, name), Language(name), is_marketing=False, fields=fields
            )
            for name, words in _catalogue().items()
        }
    )
