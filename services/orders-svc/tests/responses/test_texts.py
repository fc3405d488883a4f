"""Words for people exist in every language."""

import pytest

from kantis_contracts.values import Language
from orders_svc.billing.documents.texts import TEXTS as INVOICE
from orders_svc.responses.texts import TEXTS as PAGE


@pytest.mark.parametrize("texts", [PAGE, INVOICE])
def test_every_language_has_every_text_and_none_is_empty(texts):
    keys = {
        language: {key for key, text in words.items() if text} for language, words in texts.items()
    }

    assert {language.value: set(texts["en"]) for language in Language} == keys
