"""The console's texts: all five languages, none that nobody reads; and its files, as released."""

import hashlib
import re
import tomllib

import pytest

from gateway.console import assets, registry
from gateway.console.navigation import NAVIGATION
from gateway.console.texts import LANGUAGES
from gateway.console.wording import FOLDER, words

CONSOLE = FOLDER.parent
SOURCES = "\n".join(
    file.read_text(encoding="utf-8")
    for pattern in ("*.py", "*.html")
    for file in sorted(CONSOLE.rglob(pattern))
)
PUT_TOGETHER = {"today": r't\("today\." ~ name\)', "imports": r't\("imports\." ~ name\)', "reports": r't\("reports\." ~ name\)', "refused": r't\("refused\." ~ status\)'}  # fmt: skip
"""Areas in which a template puts a key together: there each key must stand as a word of the sources."""


def test_every_text_is_there_in_every_language_and_none_twice():
    rows = [
        row
        for file in sorted(FOLDER.glob("*.toml"))
        for row in tomllib.loads(file.read_text(encoding="utf-8")).items()
    ]

    assert [] == [
        key
        for key, texts in rows
        if len(texts) != len(LANGUAGES) or not all(text.strip() for text in texts)
    ]
    assert len(rows) == len({key for key, _ in rows})
    for key, texts in rows:
        assert 1 == len({tuple(sorted(re.findall(r"{(\w+)}", text))) for text in texts}), key


def test_every_text_that_is_asked_for_is_there():
    known = words()["en"].keys()
    asked = set(re.findall(r"""\bt\(\s*["']([a-z_]+\.[a-z_0-9]+)["'][,)]""", SOURCES))
    asked |= {f"nav.{entry.name}" for entry in NAVIGATION}
    for route in registry.PAGES:
        asked |= {f"form.{form.name}" for form in route.forms}
        asked |= {one.label for form in route.forms for one in form.fields if one.kind != "hidden"}

    assert asked
    assert set() == asked - known


def test_no_text_is_there_for_nobody():
    fields = {one.label for route in registry.PAGES for form in route.forms for one in form.fields}
    names = {f"form.{form.name}" for route in registry.PAGES for form in route.forms}
    names |= {f"nav.{entry.name}" for entry in NAVIGATION}
    unused = []
    for key in words()["en"]:
        area, _, name = key.partition(".")
        is_said = f'"{key}"' in SOURCES or f"'{key}'" in SOURCES or key in fields | names
        if not is_said and area in PUT_TOGETHER and re.search(PUT_TOGETHER[area], SOURCES):
            is_said = re.search(rf"\b{name}\b", SOURCES) is not None
        if (
            not is_said and area != "word"
        ):  # words are values of the API: any service may answer with them
            unused.append(key)

    assert [] == unused


def test_the_vendored_files_are_as_released():
    manifest = tomllib.loads((assets.FOLDER / "manifest.toml").read_text(encoding="utf-8"))
    ours = {"console.css", "console.js"}

    assert manifest.keys() == assets.assets().keys() - ours
    for name, told in manifest.items():
        assert told["sha256"] == hashlib.sha256((assets.FOLDER / name).read_bytes()).hexdigest()
        assert (assets.FOLDER / f"{name.split('.')[0]}.LICENSE.txt").is_file()
        assert told["licence"]


def test_a_first_look_is_small_and_plots_are_loaded_where_they_are():
    first = [asset for name, asset in assets.assets().items() if not name.startswith("echarts")]

    assert sum(len(asset.content) for asset in first) < 200_000
    pages = [
        file.name
        for file in CONSOLE.rglob("*.html")
        if "echarts" in file.read_text(encoding="utf-8")
    ]
    assert {"report.html", "company.html", "funnel.html"} == set(pages)


def test_no_template_lets_html_or_script_in():
    templates = [file.read_text(encoding="utf-8") for file in CONSOLE.rglob("*.html")]

    for word in ("|safe", "| safe", "autoescape", "<style", " style=", "javascript:", " onclick", " hx-on", "hx-vals=\"js", "http://", "https://"):  # fmt: skip
        assert [] == [text[:60] for text in templates if word in text]
    for text in templates:
        assert [] == re.findall(r"<script(?! src=\"{{ asset)", text)


@pytest.mark.parametrize("route", registry.PAGES, ids=lambda route: route.address)
def test_every_page_says_what_it_needs(route):
    assert route.needs or route.address == "/console"
    assert all(form.needs for form in route.forms)
