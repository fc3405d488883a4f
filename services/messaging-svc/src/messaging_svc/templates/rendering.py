"""Fill a compiled template in for one recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kantis_contracts.values import Language
from messaging_svc.templates import letter_text
from messaging_svc.templates.compiling import CONTROL, LanguageTemplate, Link
from messaging_svc.templates.engine import Sandbox
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.letter_text import Block

Part = Literal["html", "letter", "script"]
_FALLBACK = (Language.EN, Language.NB, Language.SV, Language.DA, Language.FI)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for one recipient."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to one recipient: its heading and its text."""

    subject: str
    blocks: list[Block]


class Compiled:
    """A version of a template, held in memory while it is sent."""

    def __init__(self, languages: Mapping[Language, LanguageTemplate]) -> None:
        if not languages:
            message = "a template needs at least one language"
            raise ValueError(message)
        self._languages = dict(languages)
        self._sandbox = Sandbox(
            {
                name: text
                for language, one in self._languages.items()
                for name, text in one.parts(language).items()
            }
        )
        self._paper = Sandbox(
            {f"{language}.letter.txt": one.letter for language, one in self._languages.items()},
            shown=letter_text.guarded,
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Compiled":
        """Read the form in which a version is stored."""
        return cls(
            {Language(name): LanguageTemplate.model_validate(one) for name, one in stored.items()}
        )

    def language_for(self, wanted: str, part: Part = "html") -> Language:
        """Return the language that a person gets: theirs, else English, else what there is with this part.

        Raises:
            CannotRender: the part exists in no language.
        """
        there = self.languages(part)
        if wanted in there:
            return Language(wanted)
        found = next((language for language in _FALLBACK if language in there), None)
        if found is None:
            raise CannotRender(f"the template holds no {'mail' if part == 'html' else part}")
        return found

    def languages(self, part: Part = "html") -> frozenset[Language]:
        """Return the languages in which there is a mail, a letter, or a call."""
        return frozenset(name for name, one in self._languages.items() if getattr(one, part))

    def fields(self, language: Language) -> frozenset[str]:
        """Return the fields that are named in a language."""
        names = self._languages[language].parts(language)
        used = {field for name in names for field in self._sandbox.fields(name)}
        return frozenset(used | self._paper.fields(f"{language}.letter.txt"))

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts that are told in any language."""
        return self._sandbox.facts | self._paper.facts

    def source(self, language: Language) -> LanguageTemplate:
        """Return the message in a language as it is before anything is filled in."""
        return self._languages[language]

    def links(self, language: Language) -> list[Link]:
        """Return the tracked links, in the order of their positions."""
        return self._languages[language].links

    def render(self, language: Language, fields: Mapping[str, object]) -> Rendered:
        """Return the message.

        Raises:
            CannotRender: a field is missing, or the subject would break its header.
        """
        return Rendered(
            subject=self._subject(language, fields),
            html=self._sandbox.render(f"{language}.body.html", fields),
            text=self._sandbox.render(f"{language}.body.txt", fields),
        )

    def render_letter(self, language: Language, fields: Mapping[str, object]) -> Letter:
        """Return what is printed.

        Raises:
            CannotRender: a field is missing, or the text is empty or too long.
        """
        text = self._paper.render(f"{language}.letter.txt", fields)
        return Letter(self._subject(language, fields), letter_text.parse(text))

    def render_script(self, language: Language, fields: Mapping[str, object]) -> str:
        """Return what a caller says.

        Raises:
            CannotRender: a field is missing.
        """
        return self._sandbox.render(f"{language}.script.txt", fields).strip()

    def _subject(self, language: Language, fields: Mapping[str, object]) -> str:
        subject = self._sandbox.render(f"{language}.subject.txt", fields).strip()
        if CONTROL.search(subject):
            raise CannotRender("subject: a field holds a line break or another control character")
        return subject
