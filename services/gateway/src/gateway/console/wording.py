"""What the console says, in the five languages: a file of `words/` per area, a line per text.

Each line is `"key" = ["nb", "sv", "da", "fi", "en"]`.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gateway.console.texts import LANGUAGES

FOLDER = Path(__file__).parent / "words"


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return every text, by language and key."""
    rows: dict[str, list[str]] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        rows.update(tomllib.loads(file.read_text(encoding="utf-8")))
    return {
        language: {key: texts[place] for key, texts in rows.items()}
        for place, language in enumerate(LANGUAGES)
    }


class Texts:
    """The texts of one language: `t("today.title")`, `t("segments.people", n=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = words()[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text. Raises `KeyError` for one that nobody has written."""
        text = self._words[key]
        return text.format_map(values) if values else text

    def word(self, value: object) -> str:
        """Return what people call a value of the API, such as a state; one that has no such word as it is."""
        name = str(value)
        return self._words.get(f"word.{name}", name.replace("_", " "))
