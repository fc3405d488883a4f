"""What stays of a text that a page shows, and what is put into it."""

import pytest

from messaging_svc.templates.errors import Flaw
from messaging_svc.web.schemas import AudienceKind
from messaging_svc.web.writing import compiled, filled

ACTIVE = (
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#10;script:alert(1)">x</a>',
    '<iframe src="https://x.example"></iframe>',
    '<form action="https://x.example"><input name=a></form>',
    '<base href="https://x.example/"><link rel=stylesheet href=x>',
    '<p style="position:fixed">x</p>',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
)


@pytest.mark.parametrize("text", ACTIVE, ids=range(len(ACTIVE)))
def test_nothing_that_could_act_on_a_page_stays(text):
    html = compiled(f"<p>Hei</p>{text}", AudienceKind.EVERYBODY).lower()

    for word in ("onerror", "onload", "javascript", "<iframe", "<form", "<base", "<link", "style"):
        assert word not in html


def test_fields_stay_where_they_are_and_what_they_hold_is_escaped():
    html = compiled(
        '<p>{% if preferred_name %}{{ preferred_name }}{% else %}du{% endif %}</p><a href="{{ response_url }}">Ja</a>',
        AudienceKind.CAMPAIGN,
    )

    shown = filled(
        html, {"preferred_name": "<b>Kari</b>", "response_url": "https://lys.example/r/A"}
    )

    assert "<p>&lt;b&gt;Kari&lt;" in shown
    assert 'href="https:' in shown
    assert "<p>du</p>" in filled(html, {"preferred_name": "", "response_url": ""})


def test_an_address_can_hold_nothing_but_an_address():
    for text in (
        '<a href="https://x.example/{{ preferred_name }}">x</a>',
        '<a href="{{ preferred_name }}">x</a>',
    ):
        with pytest.raises(Flaw, match="an attribute"):
            compiled(text, AudienceKind.CAMPAIGN)
