"""The script that shows a form on another site: one script tag, no library, no cookie, nothing kept in the browser."""

import json
from pathlib import Path

from contacts_svc.intake.model import Form
from contacts_svc.intake.texts import TEXTS
from kantis_contracts.values import Language

_SCRIPT = (Path(__file__).parent / "pages" / "snippet.js").read_text(encoding="utf-8")
_WORDS = ("full_name", "preferred_name", "email", "phone", "send", "failed", "optional")


def snippet(form: Form, language: Language, *, public_url: str) -> str:
    """Return the script for a form; its words are data, never code."""
    texts = TEXTS[language]
    data = {
        "address": f"{public_url.rstrip('/')}/f/{form.key}",
        "language": language.value,
        "title": form.titles[language.value],
        "consent": form.consent[language.value],
        "phone": bool({"sms", "phone"} & set(form.channels)),
        "words": {name: texts[name] for name in _WORDS},
    }
    # In a script, "</" and U+2028 could end the string or the tag.
    literal = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    return _SCRIPT.replace("/*DATA*/{}", literal)
