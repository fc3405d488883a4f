"""What the demonstration writes to people: a form, and a campaign's mail in five languages."""

from typing import Any

FORM_KEY = "friluft"

_CONSENT = {
    "nb": (
        "Nyhetsbrev om friluftsliv",
        "Ja, send meg nyheter og tilbud om friluftsliv på e-post. Jeg kan melde meg av når som helst.",
    ),
    "sv": (
        "Nyhetsbrev om friluftsliv",
        "Ja, skicka mig nyheter och erbjudanden om friluftsliv med e-post. Jag kan avsluta när som helst.",
    ),
    "da": (
        "Nyhedsbrev om friluftsliv",
        "Ja, send mig nyheder og tilbud om friluftsliv på e-mail. Jeg kan framelde mig når som helst.",
    ),
    "fi": (
        "Uutiskirje retkeilystä",
        "Kyllä, lähettäkää minulle uutisia ja tarjouksia retkeilystä sähköpostilla. Voin perua milloin tahansa.",
    ),
    "en": (
        "Newsletter on outdoor life",
        "Yes, send me news and offers on outdoor life by e-mail. I can stop at any time.",
    ),
}

FORM: dict[str, Any] = {
    "key": FORM_KEY,
    "source": "Demo web site",
    "purposes": ["newsletter", "offers"],
    "channels": ["email"],
    "titles": {language: title for language, (title, _) in _CONSENT.items()},
    "consent": {
        language: {"version": "2026-1", "text": text} for language, (_, text) in _CONSENT.items()
    },
    "default_language": "nb",
    "country": "NO",
    "double_opt_in": True,
}

_MAIL = {
    "nb": (
        "{{ greeting() }}, {{ offer_name }} til turen din",
        "Høsten er her, og skoene fra i fjor har gått sine mil.",
        "Kun {{ offer_price }}",
        "Bestill",
    ),
    "sv": (
        "{{ greeting() }}, {{ offer_name }} till din tur",
        "Hösten är här, och förra årets kängor har gått sina mil.",
        "Endast {{ offer_price }}",
        "Beställ",
    ),
    "da": (
        "{{ greeting() }}, {{ offer_name }} til din tur",
        "Efteråret er her, og støvlerne fra sidste år har gået deres mil.",
        "Kun {{ offer_price }}",
        "Bestil",
    ),
    "fi": (
        "{{ greeting() }}, {{ offer_name }} retkellesi",
        "Syksy on täällä, ja viime vuoden kengät ovat kulkeneet matkansa.",
        "Vain {{ offer_price }}",
        "Tilaa",
    ),
    "en": (
        "{{ greeting() }}, {{ offer_name }} for your walk",
        "Autumn is here, and last year's boots have walked their miles.",
        "Only {{ offer_price }}",
        "Order",
    ),
}

_HTML = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ margin: 0; background: #eef2ee; font-family: Georgia, serif; color: #22302a; }}
.card {{ max-width: 560px; margin: 0 auto; background: #ffffff; padding: 32px; }}
h1 {{ font-size: 26px; line-height: 1.25; margin: 0 0 16px; }}
.price {{ font-size: 20px; color: #8a3b12; margin: 24px 0; }}
.button {{ display: inline-block; background: #1f5b44; color: #ffffff; padding: 14px 28px; text-decoration: none; border-radius: 4px; font-family: Arial, sans-serif; }}
</style></head>
<body><div class="card">
<h1>{{{{ greeting() }}}}</h1>
<p>{intro}</p>
<p><strong>{{{{ offer_name }}}}</strong></p>
<p class="price">{price}</p>
<p><a class="button" href="{{{{ response_url }}}}">{order}</a></p>
</div></body></html>
"""


def template(name: str) -> dict[str, Any]:
    """Return the campaign's template as the API takes it."""
    languages = {}
    for language, (subject, intro, price, order) in _MAIL.items():
        html = _HTML.format(
            language=language,
            title="Kantis Friluft",
            intro=intro,
            price=price,
            order=order,
        )
        languages[language] = {"subject": subject, "html": html}
    return {"name": name, "languages": languages}


PRODUCTS = (
    {
        "sku": "BOOT-42",
        "name": "Fjellsko Rondane",
        "price_minor": 149_900,
        "currency": "NOK",
        "vat_pct": 25,
        "initial_stock": 2_000,
    },
    {
        "sku": "WOOL-1",
        "name": "Ullsokker, to par",
        "price_minor": 24_900,
        "currency": "NOK",
        "vat_pct": 25,
        "initial_stock": 5_000,
    },
)
