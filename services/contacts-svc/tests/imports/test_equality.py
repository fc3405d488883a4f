"""The short way is the long way, faster: rows by the block as row by row, plain rows as with care, new people as all others."""

import random
import string
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts_svc.imports.blocks import read_rows
from contacts_svc.imports.quick import shortcut
from contacts_svc.imports.rows import Reading, Refused, judge
from contacts_svc.people.plain import read_email, read_phone
from contacts_svc.people.rules import AddressInvalid, normalise_email, normalise_phone
from kantis_kit.csv_rows import Record, read_records

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PIECES = st.sampled_from(
    ["a", "Å", ";", '"', '""', "\n", "\r\n", "\r", " ", "x" * 70_000, "'", "=", "\x00", "\t", "é"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=40), st.integers(1, 9), st.booleans())
def test_rows_by_the_block_are_the_rows_that_are_read_one_by_one(
    tmp_path_factory, pieces, rows, broken
):
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    path.write_bytes("".join(pieces).encode() + (b"\xff;a\nb;c\n" if broken else b""))
    expected = list(read_records(path, "utf-8", ";", offset=0, number=1))

    found, offset, number = [], 0, 1
    while True:
        part = read_rows(path, "utf-8", ";", offset=offset, number=number, rows=rows)
        found += part.rows
        offset, number = part.end, number + len(part.rows)
        if len(part.rows) < rows:
            break

    assert [one if one.problem else one.cells for one in expected] == found
    assert not expected or expected[-1].end == offset


def test_many_rows_of_a_large_file_are_read_from_block_to_block(tmp_path):
    path = tmp_path / "t.csv"
    rng = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        for number in range(20_000):
            cell = "".join(rng.choices(string.ascii_letters + "æøå", k=rng.randint(0, 60)))
            file.write(
                f'{number};"{cell}\n{cell}";{cell}\r\n'
                if number % 7 == 0
                else f"{number};{cell};\n"
            )

    part = read_rows(path, "utf-8", ";", offset=0, number=0, rows=30_000)

    assert [str(number) for number in range(20_000)] == [row[0] for row in part.rows]
    assert path.stat().st_size == part.end


@settings(max_examples=400, deadline=None)
@given(
    st.from_regex(r"\+?(?:00)?(?:4[567]|358|354)?[0-9 ]{3,14}", fullmatch=True),
    st.sampled_from(["NO", "SE", "DK", "FI", "IS", "DE"]),
)
def test_a_number_that_is_read_the_short_way_is_what_the_long_way_says(text, country):
    short = read_phone(text.strip(), country) if text.strip() else None

    if short is not None:
        assert normalise_phone(text, country) == short


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("412 34 567", "NO"),
        ("+47 22 22 55 55", "SE"),
        ("070 123 45 67", "SE"),
        ("+46701234567", "NO"),
        ("20 12 34 56", "DK"),
        ("+358 50 123 4567", "FI"),
        ("611 1234", "IS"),
    ],
)
def test_common_numbers_take_the_short_way(text, country):
    assert normalise_phone(text, country) == read_phone(text, country)


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(
        r"[A-Za-z0-9._+'-]{1,20}@(?:[A-Za-z0-9-]{1,10}\.){0,2}(?:no|com|test|local|[a-z]{1,5})",
        fullmatch=True,
    )
)
def test_an_address_that_is_read_the_short_way_is_what_the_long_way_says(text):
    short = read_email(text)

    if short is not None:
        assert normalise_email(text) == short
    elif all(sign.isalnum() for sign in text.split("@")[0]):
        with pytest.raises(AddressInvalid):
            normalise_email(text)


CELLS = {
    "full_name": [
        "Kari Nes",
        " Åse  Ødegård ",
        "",
        "-",
        "'=1",
        "=1",
        "Id 01019012480",
        "x" * 201,
        "Nul\x00l",
    ],
    "email": ["kari@example.com", "Kari@Example.com ", "", "-", "feil@", "'kari@example.com"],
    "phone": ["41234567", "+46 70 123 45 67", "", "-", "12"],
    "postal_code": ["0155", "", "0155 lang kode"],
    "country": ["NO", "Sverige", "", "fi", "Langtvekkistan"],
    "language": ["nb", "Norsk", "", "tlh"],
    "source": ["fair", ""],
    "custom.colour": ["blue", "blå", "", "red"],
    "custom.shoes": ["42", "42,5", "", "many"],
    "as_of": ["01.02.2026", "", "32.01.2026"],
    "permission.email.newsletter": ["ja", "nei", ""],
}
DECLARED = {
    "colour": SimpleNamespace(
        key="colour",
        kind="choice",
        rules={"choices": [{"key": "blue", "titles": {"nb": "blå"}}]},
        is_closed=False,
        is_filtered=True,
        titles={},
    ),
    "shoes": SimpleNamespace(
        key="shoes", kind="decimal", rules={}, is_closed=False, is_filtered=False, titles={}
    ),
}


@settings(max_examples=600, deadline=None)
@given(st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}))
def test_a_row_that_is_read_the_short_way_is_what_the_long_way_says(row):
    reading = Reading(
        "utf-8",
        ";",
        list(CELLS),
        {name: name for name in CELLS},
        {"custom.shoes": "decimal-comma", "as_of": "dd.mm.yyyy"},
        DECLARED,
        "NO",
        "file",
        NOW,
        frozenset({"city"}),
    )

    short = shortcut(reading)(list(row.values()), 7)

    if short is not None:
        assert judge(Record(7, list(row.values()), 0), reading) == short
    elif {row["full_name"], row["email"], row["country"], row["language"]} <= {
        "Kari Nes",
        "kari@example.com",
        "NO",
        "nb",
    } and row["phone"] in ("", "41234567"):
        with pytest.raises(Refused):
            judge(Record(7, list(row.values()), 0), reading)
