"""Pages: text, address, codes, and files that are joined; nothing of a person or a template is read as markup."""

import csv
import io
import tracemalloc
from datetime import date

import pytest

from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from messaging_svc.letters import files
from messaging_svc.letters.pdf import CannotJoin, Joined
from messaging_svc.letters.sheets import Address, Sender, Sheet, return_code, words_of
from messaging_svc.letters.typeset import picture, typeset
from messaging_svc.letters.windows import COUNTRIES, window_for
from messaging_svc.templates import letter_text
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.rendering import Compiled, Letter

DAY = date(2026, 3, 1)
SENDER = Sender("Lys AS", "Storgata 1, 0155 Oslo", "NO", "post@lys.example", "", 0)


def _sheet(n=1, *, text="Hei", country="NO", subject="En lampe", **changes):
    address = Address(f"Kari {n}", f"Storgata {n}", f"{n:04d}", "OSLO", country)
    values = {
        "position": n, "address": address, "language": Language.NB, "response_code": f"C0DE{n:04d}",
        "letter": Letter(subject, letter_text.parse(text)), "response_url": f"https://kantis.example/r/C0DE{n:04d}",
        "return_code": return_code(SENDER, country, 7, n), "is_marketing": True,
    }  # fmt: skip
    return Sheet(**(values | changes))


def _typeset(*sheets, country="NO"):
    return typeset(sheets, SENDER, window_for(country, DAY), DAY)


def _letter(source, **fields):
    ready = compile_language(LanguageSource(subject="Hei", letter=source), Language.NB)
    compiled = Compiled({Language.NB: ready})
    sample = sample_fields(compiled, Language.NB, preferred_name="Kari", offer_name="Lampe")
    return compiled.render_letter(Language.NB, sample | fields).blocks


def test_a_letter_has_paragraphs_headings_lists_and_bold_words():
    blocks = _letter("# Hei\nEn **lampe** til\ndeg\n\n- en\n- **to**\n1. tre\n\n\nSlutt")

    assert [
        ("h", [("", "Hei")]),
        ("p", [("", "En "), ("b", "lampe"), ("", " til"), ("br", ""), ("", "deg")]),
        ("ul", [[("", "en")], [("b", "to")]]),
        ("ol", [[("", "tre")]]),
        ("p", [("", "Slutt")]),
    ] == blocks


def test_who_wants_no_more_post_can_say_which_letter_it_was_though_it_asked_for_no_response():
    asked, told = _sheet(), _sheet(response_code="")

    footers = [words_of(one, SENDER, DAY)["footer"] for one in (asked, told)]
    assert footers[0].endswith("oppgi koden C0DE0001.")
    assert footers[1].endswith(f"oppgi koden {told.return_code}.")


@pytest.mark.parametrize(
    "name", ["**Kari**", "- Kari", "# Kari", "1. Kari", "Kari\n\n# Ola", "\ue010Kari\ue011", "#import \"x\""]
)  # fmt: skip
def test_what_a_field_holds_is_never_read_as_markup(name):
    ((kind, runs), *others) = _letter("{{ preferred_name }}", preferred_name=name)

    assert ("p", []) == (kind, others)
    assert {""} == {style for style, _ in runs}
    printable = name.replace("\n", " ").replace("\ue010", "").replace("\ue011", "")
    assert printable == "".join(text for _, text in runs)


def test_conditions_and_blocks_work_on_paper():
    source = "{% if offer_name == 'Lampe' %}Ja{% else %}Nei{% endif %}\n\n{% for product in products %}- {{ product.name }}\n{% endfor %}"

    assert [("p", [("", "Ja")]), ("ul", [[("", "Lampe")], [("", "Lampe")]])] == _letter(source)
    assert [("p", [("", "Nei")])] == _letter(source, offer_name="", products=[])


def test_a_letter_of_nothing_and_one_of_too_much_are_refused():
    with pytest.raises(CannotRender, match="nothing is left"):
        letter_text.parse(" \n \ue011 \n")
    with pytest.raises(CannotRender, match="more than"):
        letter_text.parse("x" * (letter_text.MAX_CHARS + 1))


def test_markup_of_the_typesetter_is_printed_as_it_stands(printed):
    evil = '#import "@preview/x:1.0.0": * #read("/etc/passwd") $x$ _y_ <end> #panic() \\ @here'

    made, pages = _typeset(
        _sheet(1, text=evil, subject=evil), _sheet(2, text="Lang tekst.\n\n" * 120)
    )

    assert 1 == pages[0]
    assert 1 < pages[1]
    assert {"C0DE0002", "https://kantis.example/r/C0DE0002"} == printed(made).answer_codes(2)


def test_files_are_joined_page_by_page_and_stay_an_archive(printed):
    parts = [_typeset(_sheet(n), _sheet(n + 1))[0] for n in (1, 3, 5)]
    file = io.BytesIO()
    joined = Joined(file)
    for part in parts:
        joined.add(part)

    size = joined.close()

    whole = file.getvalue()
    assert (6, size) == (joined.pages, len(whole))
    assert 1 == whole.count(b"/Type/Catalog")
    assert 1 == whole.count(b"/OutputIntents")
    assert b"<pdfaid:part>1</pdfaid:part>" in whole
    assert "C0DE0006" in printed(whole).answer_codes(6)


def test_the_table_of_a_joined_file_leads_to_every_object():
    file = io.BytesIO()
    joined = Joined(file)
    for n in (1, 2):
        joined.add(_typeset(_sheet(n))[0])
    joined.close()
    whole = file.getvalue()

    table = int(whole.rsplit(b"startxref", 1)[1].split()[0])
    count = int(whole[table:].split(b"\n", 2)[1].split()[1])
    rows = whole[table:].split(b"\n", 2)[2]
    for number in range(count):
        row = rows[number * 20 : number * 20 + 20]
        if row[17:18] == b"n":
            at = int(row[:10])
            assert whole[at : at + 20].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"%PDF-1.4\nstartxref\n9\n%%EOF", b"x" * 99])
def test_a_file_of_another_make_is_refused(data):
    with pytest.raises(CannotJoin):
        Joined(io.BytesIO()).add(data)


def test_joining_does_not_grow_with_what_is_joined(tmp_path):
    part = _typeset(*(_sheet(n) for n in range(1, 6)))[0]
    with (tmp_path / "all.pdf").open("wb") as file:
        joined = Joined(file)
        joined.add(part)
        tracemalloc.start()
        for _ in range(20):
            joined.add(part)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        size = joined.close()

    assert 105 == joined.pages
    assert peak < 5 * len(part) < size / 3


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_address_stands_inside_the_window_of_its_country_and_the_code_outside(country, printed):
    window = window_for(country, DAY)
    made, _ = _typeset(_sheet(1, country=country), country=country)
    inside = printed(made).codes(
        1, window.x_mm, window.y_mm, window.width_mm, window.height_mm, ppi=170
    )

    assert {return_code(SENDER, country, 7, 1)} == inside
    assert 0 < window.x_mm < window.x_mm + window.width_mm < 210
    assert window.y_mm + window.height_mm < 148.5


def test_a_window_holds_from_its_day_on():
    assert window_for("NO", date(2019, 12, 31)) is None
    assert window_for("PT", DAY) is None


def test_an_address_abroad_ends_with_its_country():
    at_home = Address("Kari", "Storgata 1\n\nc/o Ola", "0155", "OSLO", "NO")
    abroad = Address("Åsa", "Vägen 1", "111 22", "STOCKHOLM", "SE")

    assert ["Kari", "Storgata 1", "c/o Ola", "0155 OSLO"] == at_home.lines("NO", Language.NB)
    assert ["Åsa", "Vägen 1", "SE-111 22 STOCKHOLM", "SVERIGE"] == abroad.lines("NO", Language.NB)


def test_the_return_mark_says_batch_and_position_and_in_norway_the_agreement():
    agreed = Sender("Lys AS", "", "NO", "post@lys.example", "1234", 2)

    assert "0000007000042" == return_code(SENDER, "NO", 7, 42)
    assert "2123420" + "0000007000042" == return_code(agreed, "NO", 7, 42)
    assert "0000007000042" == return_code(agreed, "SE", 7, 42)


def test_no_cell_of_the_manifest_is_a_formula():
    file = io.StringIO()
    files.Manifest(file).add(["=1+1", "+47", "-1", "@x", "\tx", "Kari;Ola", 'a"b', "", 1, 2, 3, 4])

    (row,) = list(csv.reader(io.StringIO(file.getvalue()), delimiter=";"))[1:]
    assert ["'=1+1", "'+47", "'-1", "'@x", "'\tx", "Kari;Ola", 'a"b'] == row[:7]


def test_a_picture_of_a_page_is_made_for_people():
    (page,) = picture([_sheet()], SENDER, window_for("NO", DAY), DAY, ppi=20)

    assert page.startswith(b"\x89PNG")


async def test_a_letter_is_previewed_as_a_known_person_gets_it(desk, printed):
    kari = desk.person(0)
    await desk.settle(kari)
    asked = {"template_id": str(desk.house.template_id), "person_id": str(kari.person_id)}

    shown = await desk.call("POST", "../preview", json=asked)
    drawn = await desk.call("POST", "../preview", json=asked | {"format": "png"})
    nobody = await desk.call("POST", "../preview", json=asked | {"person_id": str(new_id())})
    await desk.house.save_template()
    no_letter = await desk.call(
        "POST", "../preview", json={"template_id": str(desk.house.template_id)}
    )

    assert {"C0DE1234", "http://kantis.test/r/C0DE1234"} == printed(shown.content).answer_codes(1)
    assert drawn.content.startswith(b"\x89PNG")
    assert [404, 422] == [one.status_code for one in (nobody, no_letter)]
