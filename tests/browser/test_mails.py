"""Mails as a browser shows them: nothing is cut off on a telephone, and weak eyes can read them."""

from importlib.resources import files

import orjson
import pytest
import pytest_asyncio
from reading import TELEPHONE, axe_finds

from kantis_contracts.values import Language
from messaging_svc.templates.builtin import FACTS, builtin
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.rendering import Compiled

SAMPLES = orjson.loads((files("messaging_svc.templates") / "samples/spring.json").read_bytes())
pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's
OF_PAGES = ("landmark", "region", "heading", "main", "document-title")
"""What axe wants of pages, and mails do not have: a mail's title is its subject."""


def campaign(language):
    """Return the sample campaign's mail, written in MJML, to somebody with a name of our letters."""
    ready = compile_language(LanguageSource(**SAMPLES["languages"][language.value]), language)
    compiled = Compiled({language: ready})
    given = {"preferred_name": "Åse Sørbø", "offer_name": "Leselampe «Ærlig» med et langt navn"}
    return compiled.render(language, sample_fields(compiled, language, **given)).html


def notice(kind, language):
    """Return a mail of our own with all of its facts."""
    compiled = builtin(kind)
    fields = sample_fields(compiled, language, preferred_name="Åse", offer_name="")
    facts = {name: "https://lys.example/p/x" if "url" in name else "NO93 8601 1117 947" for name in FACTS[kind]}  # fmt: skip
    return compiled.render(language, fields | facts).html


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser):
    """A page on a telephone."""
    context = await browser.new_context(viewport=TELEPHONE, color_scheme="light")
    yield await context.new_page()
    await context.close()


async def test_mails_fit_on_a_telephone_and_can_be_read_by_weak_eyes(page):
    mails = {language.value: campaign(language) for language in Language}
    mails |= {f"{kind} {language.value}": notice(kind, language) for kind in FACTS for language in (Language.FI, Language.NB)}  # fmt: skip
    found = {}
    for name, html in mails.items():
        await page.set_content(html)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        small = await page.evaluate(
            "[...document.querySelectorAll('a')].filter(a => parseFloat(getComputedStyle(a).fontSize) < 12).length"
        )
        faults = [
            one
            for one in await axe_finds(page)
            if not any(word in one.split(": ")[1] for word in OF_PAGES)
        ]
        found[name] = (wide <= TELEPHONE["width"], small, faults)

    assert {(True, 0)} == {(fits, small) for fits, small, _ in found.values()}, found
    assert {} == {name: faults for name, (_, _, faults) in found.items() if faults}
