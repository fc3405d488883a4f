"""Plain rows are taken by the column, all others one by one: what is written of a person is the same."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts_svc.imports.chunks import read_chunk
from contacts_svc.imports.fresh import Making
from contacts_svc.imports.plain import PlainRows, Taken
from contacts_svc.imports.rows import Reading

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ODD = [
    "",
    "-",
    "'=1",
    "=1",
    "Id 01019012480",
    "x" * 201,
    "a\tb",
    'Per "P"',
    "Å\\se",
    "a\x1fb",
    "50 %s",
]
COLUMNS = {
    "given_name": ["Kari", " Åse ", *ODD],
    "family_name": ["Nes", "Lie", "", "100 %", '"'],
    "preferred_name": ["", "", "Kaja"],
    "full_name": ["", "", "Kari Nes"],
    "street": ["Gata 1", "", "Gata % 2"],
    "postal_code": ["0155", "", "1234567890123"],
    "city": ["Oslo", "", "Moss"],
    "address_country": ["", "", "SE"],
    "country": ["NO", "Sverige", "", "fi", "Langtvekkistan"],
    "language": ["nb", "", "sv", "tlh"],
    "source": ["fair", "", "mässa"],
    "note": ["", "ringt", "a\\Nb"],
    "custom.colour": ["blue", "", "red"],
    "custom.id_no": ["", "", "01019012480"],
    "as_of": ["01.02.2026", "", "32.01.2026"],
    "permission.email.newsletter": ["ja", "", "nei"],
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
    "id_no": SimpleNamespace(
        key="id_no",
        kind="national_id",
        rules={"country": "NO"},
        is_closed=False,
        is_filtered=False,
        titles={},
    ),
}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def written(chunk):
    """Return what is written of each row, by its number."""
    fresh = chunk.fresh
    number_of = {index: number for index, (number, _) in enumerate(chunk.rows)}
    found = {}
    for index, number in number_of.items():
        *change, changes = fresh.changes[index].removesuffix("\n").split("\t")
        found[number] = [
            fresh.persons[index],
            change,
            orjson.loads(changes.replace("\\\\", "\\")),
            orjson.loads(fresh.cards[index]),
            fresh.families[index],
        ]
    lists = (
        (fresh.identifiers, "address"),
        (fresh.values, "value"),
        (fresh.secrets, "secret"),
        (fresh.granted, "granted"),
    )
    for rows, what in lists:
        for *told, index in rows:
            found[number_of[index]].append((what, *map(str, told)))
    kept = {index: number_of[index] for index in chunk.shared}
    told = {
        number: _ID.sub("id", orjson.dumps(one, option=orjson.OPT_SORT_KEYS).decode())
        for number, one in found.items()
    }
    return told, sorted(kept.values())


def reading_of(header):
    return Reading(
        "utf-8",
        "|",
        list(header),
        {name: name for name in header},
        {"as_of": "dd.mm.yyyy"} if "as_of" in header else {},
        DECLARED,
        "NO",
        "file",
        NOW,
    )


def read(path, header):
    making = Making("0", "import:anna", NOW.isoformat(), DECLARED, "", "Fair", "I want mail")
    return read_chunk(path, reading_of(header), making, offset=0, number=1, rows=1_000)


ROWS = st.lists(
    st.tuples(
        st.fixed_dictionaries({name: st.sampled_from(told) for name, told in COLUMNS.items()}),
        st.booleans(),
        st.sampled_from(["", "k1@example.com", "Own@Example.com ", "feil@", "'k@example.com"]),
        st.sampled_from(["", "41234567", "+46 70 123 45 67", "12"]),
    ),
    min_size=1,
    max_size=8,
)

# A file without any name is not taken.
LEFT_OUT = st.sets(st.sampled_from(sorted(set(COLUMNS) - {"given_name"})))


@settings(max_examples=40, deadline=None)
@given(ROWS, LEFT_OUT)
def test_a_plain_row_is_written_as_all_others_are(tmp_path_factory, rows, left_out):
    header = [name for name in COLUMNS if name not in left_out] + ["email", "phone"]
    lines = []
    for place, (told, is_alone, email, phone) in enumerate(rows):
        cells = [told[name] for name in header[:-2]]
        # Rows whose every cell is usual have to be among them.
        mine = f"p{place}@example.com" if is_alone else email
        cells = [*cells, mine, "" if is_alone else phone]
        lines.append("|".join(f'"{one}"'.replace('"', '""')[1:-1] for one in cells))
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    fast = read(path, header)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainRows, "take", lambda *_: Taken([], [], []))
        slow = read(path, header)

    assert written(slow) == written(fast)
    assert slow.rejects == fast.rejects
    addresses = [
        {kind: set(one.owners[kind]) for kind in ("email", "phone")} for one in (slow, fast)
    ]
    assert addresses[0] == addresses[1]


def test_usual_rows_are_taken_by_the_column(tmp_path, monkeypatch):
    header = ["given_name", "family_name", "city", "country", "email", "phone"]
    path = tmp_path / "t.csv"
    usual = [f"Kari|Nes {n}|Oslo|NO|k{n}@example.com|4123456{n}" for n in range(9)]
    path.write_text("\n".join([*usual, "Ola|=1|Oslo|NO|o@example.com|"]) + "\n", encoding="utf-8")
    taken = []
    take = PlainRows.take
    monkeypatch.setattr(PlainRows, "take", lambda *given: taken.append(take(*given)) or taken[-1])

    chunk = read(path, header)

    assert list(range(9)) == taken[0].places
    assert [11] == [one.number for one in chunk.rejects]
    assert [f"+474123456{n}" for n in range(9)] == taken[0].phones


def test_a_source_that_has_to_be_escaped_is(tmp_path):
    header = ["given_name", "email"]
    path = tmp_path / "t.csv"
    path.write_text("Kari|k@example.com\n", encoding="utf-8")
    reading = reading_of(header)
    reading = Reading(
        *(getattr(reading, name) for name in list(Reading.__slots__)[:7]),
        'a\\b "c"',
        NOW,
    )
    making = Making("0", "import:anna", NOW.isoformat(), {})

    chunk = read_chunk(path, reading, making, offset=0, number=1, rows=10)

    assert 'a\\\\b "c"' in chunk.fresh.persons[0]
