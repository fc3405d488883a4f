"""Words for people exist in every language."""

import pytest

from kantis_contracts.values import Language
from orders_svc.billing.documents.texts import TEXTS as INVOICE
from orders_svc.responses.texts import TEXTS as PAGE
from orders_svc.responses.texts import preferred_language


@pytest.mark.parametrize("texts", [PAGE, INVOICE])
def test_every_language_has_every_text_and_none_is_empty(texts):
    keys = {
        language: {key for key, text in words.items() if text} for language, words in texts.items()
    }

    assert {language.value: set(texts["en"]) for language in Language} == keys


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nn-NO,nb;q=0.9", "nb"),
        ("no", "nb"),
        ("de-DE,sv;q=0.5", "sv"),
        ("de", "en"),
        ("", "en"),
        (";;,,", "en"),
    ],
)
def test_a_browser_gets_the_first_of_its_languages_that_we_have(header, language):
    assert language == preferred_language(header)
