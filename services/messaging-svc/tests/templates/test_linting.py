"""What the linter finds: each fault by its code, and nothing in what is well."""

import orjson
import pytest

from kantis_contracts.values import Language, MessageClass
from messaging_svc.templates.builtin import FACTS, builtin
from messaging_svc.templates.compiling import LanguageSource
from messaging_svc.templates.linting import MAX_MAIL_BYTES, _sales, _words, lint
from messaging_svc.templates.schemas import Severity

GOOD = (
    "<html><body><p>{{ greeting() }}, her er noe som du kanskje vil lese.</p>"
    '<p><a href="https://shop.example/a">Se her</a> '
    '<img src="https://shop.example/a.png" alt="En lampe"></p></body></html>'
)


def _lint(html=GOOD, *, is_marketing=True, language=Language.NB, **changes):
    source = {"subject": "Nytt fra oss", "html": html, "preheader": "Kort sagt"} | changes
    found = lint(
        {language: LanguageSource(**source)},
        MessageClass.MARKETING if is_marketing else MessageClass.SERVICE,
    )
    return {one.code: one for one in found}


def test_in_a_good_message_nothing_is_found():
    assert {} == _lint()
    assert {} == _lint(is_marketing=False)


@pytest.mark.parametrize(
    ("code", "severity", "html"),
    [
        ("image-without-text", Severity.WARNING, GOOD.replace(' alt="En lampe"', "")),
        ("image-broken", Severity.ERROR, GOOD.replace("https://shop.example/a.png", "a.png")),
        ("image-inside", Severity.WARNING, GOOD.replace("https://shop.example/a.png", "data:image/png;base64,AA")),
        ("only-images", Severity.ERROR, '<img src="https://x.example/a.png"><a href="https://x.example">x</a>'),
        ("too-large", Severity.ERROR, GOOD.replace("</p>", "x" * MAX_MAIL_BYTES + "</p>", 1)),
        ("link-insecure", Severity.WARNING, GOOD.replace("https://shop.example/a\"", "http://shop.example/a\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "https://\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "https://x y.example/a\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "https://shop.example:x/\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "https://bank.example@evil.example/\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "https://localhost/\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "http://10.0.0.1/\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "#nowhere\"")),
        ("link-broken", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "mailto:post\"")),
        ("link-misleads", Severity.WARNING, GOOD.replace("Se her", "www.bank.example")),
        ("cannot-compile", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "/a\"")),
        ("cannot-compile", Severity.ERROR, GOOD.replace("https://shop.example/a\"", "\"")),
        ("plain-text-missing", Severity.ERROR, '<img src="https://x.example/a.png" alt="">'),
    ],
)  # fmt: skip
def test_a_fault_of_the_mail_is_found_by_its_code(code, severity, html):
    found = _lint(html, text="–" if code == "plain-text-missing" else None)

    assert severity == found[code].severity
    assert found[code].mend


def test_a_way_out_that_a_condition_hides_is_an_error_and_one_that_is_missing_is_added():
    hidden = '<p>x</p>{% if offer_name %}<a href="{{ unsubscribe_url }}">Av</a>{% endif %}'

    assert "unsubscribe-missing" in _lint(hidden)
    assert "unsubscribe-missing" not in _lint("<p>x</p>")
    assert "unsubscribe-missing" not in _lint(hidden, is_marketing=False)


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("subject-spammy", "KJØP LAMPER HER I DAG"),
        ("subject-spammy", "Nytt fra oss!!"),
        ("subject-spammy", "Helt gratis"),
        ("subject-long", "Nytt fra oss " * 8),
        ("subject-missing", "{{ offer_name }}"),
        ("subject-feigns-reply", "SV: avtalen vår"),
        ("cannot-compile", " "),
    ],
)
def test_a_subject_that_nobody_should_get_is_found(code, subject):
    assert code in _lint(subject=subject)


def test_an_empty_preheader_is_no_more_than_a_warning():
    assert Severity.WARNING == _lint(preheader="")["preheader-missing"].severity


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (Language.NB, "Få 20 % avslag"),
        (Language.SV, "Ett erbjudande till dig"),
        (Language.DA, "Køb nu"),
        (Language.FI, "Tarjouksemme sinulle"),
        (Language.EN, "A special  offer for you"),
    ],
)
def test_sales_words_are_found_in_notices_of_every_language_and_allowed_in_marketing(
    language, text
):
    html = GOOD.replace("her er noe", text)

    assert "sales-in-notice" in _lint(html, is_marketing=False, language=language)
    assert "sales-in-notice" in _lint(is_marketing=False, language=language, letter=text)
    assert "sales-in-notice" not in _lint(html, language=language)


@pytest.mark.parametrize(
    "block",
    [
        "{{ offer_name }}", "{% if offer_price %}x{% endif %}",
        "{% for product in recommendations %}{{ product.name }}{% endfor %}",
    ],
)  # fmt: skip
def test_an_offer_in_a_notice_is_an_error(block):
    found = _lint(GOOD.replace("Se her", f"Se her {block}"), is_marketing=False)

    assert Severity.ERROR == found["offer-in-notice"].severity


@pytest.mark.parametrize("language", list(Language))
def test_our_own_notices_hold_no_word_that_sells(language):
    for kind in FACTS:
        compiled = builtin(kind)
        fields = dict.fromkeys(FACTS[kind], "x") | {
            "greeting": "",
            "preferred_name": "",
            "company": "",
            "contact_url": "",
        }
        shown = compiled.render(language, fields)
        source = LanguageSource(subject=shown.subject, html=shown.html)
        assert [] == list(_sales(language, source))
    assert {"sales", "spam"} == set(_words(language))


async def test_errors_keep_a_version_from_standing_and_a_draft_waits_until_it_is_mended(open_house):
    rig = (await open_house(smtp_host="")).rig
    good = {"nb": {"subject": "Hei", "html": GOOD}}
    bad = {"nb": {"subject": "SV: Hei", "html": GOOD}}
    async with rig.client(scopes=["messaging:write", "messaging:read"]) as client:
        refused = await client.post("/v1/templates", json={"name": "Vår", "languages": bad})
        said = await client.post("/v1/templates/lint", json={"languages": bad})
        path = (
            await client.post("/v1/templates", json={"name": "Vår", "languages": good})
        ).headers["location"]
        not_standing = await client.put(path, json={"languages": bad})
        draft = await client.put(path, json={"languages": bad, "is_draft": True})
        too_early = await client.post(f"{path}/versions/2/activate")
        mended = await client.put(path, json={"languages": good, "is_draft": True})
        standing = await client.post(f"{path}/versions/3/activate")

    assert [422, 200, 422, 200, 422, 200, 200] == [
        one.status_code for one in (refused, said, not_standing, draft, too_early, mended, standing)
    ]
    assert "subject-feigns-reply" == refused.json()["errors"][0]["code"]
    assert ["subject-feigns-reply", "preheader-missing"] == [
        one["code"] for one in said.json()["findings"]
    ]
    assert not said.json()["is_ready"]
    assert [1, 1, 3] == [one.json()["version"] for one in (draft, mended, standing)]


def test_the_sample_campaign_has_no_errors():
    from importlib.resources import files

    sample = orjson.loads(
        (files("messaging_svc.templates") / "samples" / "spring.json").read_bytes()
    )
    sources = {Language(name): LanguageSource(**one) for name, one in sample["languages"].items()}

    found = lint(sources, MessageClass.MARKETING)

    assert [] == [one for one in found if one.severity == Severity.ERROR]
