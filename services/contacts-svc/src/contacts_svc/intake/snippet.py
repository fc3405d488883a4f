"""The script that shows a form on another site: one script tag, no library, no cookie, nothing kept in the browser."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contacts_svc.intake.model import Form
from contacts_svc.intake.texts import TEXTS
from kantis_contracts.values import Language

_PAGES = Path(__file__).parent / "pages"
_WORK = (_PAGES / "work.js").read_text(encoding="utf-8")
_SCRIPT = (_PAGES / "snippet.js").read_text(encoding="utf-8").replace("/*WORK*/", _WORK)
WORK_ON_PAGE = _WORK + (_PAGES / "form.js").read_text(encoding="utf-8")
"""What our own page does when the form asks for work."""
_WORDS = (
    "full_name",
    "preferred_name",
    "email",
    "phone",
    "send",
    "failed",
    "optional",
    "topics",
    "download",
)


def snippet(form: Form, language: Language, *, public_url: str) -> str:
    """Return the script for a form; its words are data, never code."""
    texts = TEXTS[language]
    data = {
        "address": f"{public_url.rstrip('/')}/f/{form.key}",
        "language": language.value,
        "title": form.titles[language.value],
        "consent": form.consent[language.value],
        "phone": bool({"sms", "phone"} & set(form.channels)),
        "bits": form.proof_of_work_bits,
        "fields": [_question(one, language) for one in form.fields],
        "topics": [_labelled(topic["key"], topic, language) for topic in form.topics],
        "boxes": [{"key": box["key"], **box["consent"][language.value]} for box in form.boxes],
        "words": {name: texts[name] for name in _WORDS},
    }
    # In a script, "</" and U+2028 could end the string or the tag.
    literal = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    return _SCRIPT.replace("/*DATA*/{}", literal)


def _labelled(value: str, named: Mapping[str, Any], language: Language) -> dict[str, str]:
    return {"value": value, "label": named["labels"][language.value]}


def _question(field: Mapping[str, Any], language: Language) -> dict[str, Any]:
    return {
        "key": field["key"],
        "kind": field["kind"],
        "label": field["labels"][language.value],
        "required": field["is_required"],
        "choices": [_labelled(one["value"], one, language) for one in field["choices"]],
    }
