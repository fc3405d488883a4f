"""Fill a compiled template in for one recipient."""

from collections.abc import Mapping
from dataclasses import dataclass

from kantis_contracts.values import Language
from messaging_svc.templates.compiling import CONTROL, LanguageTemplate, Link
from messaging_svc.templates.engine import Sandbox
from messaging_svc.templates.errors import CannotRender

_FALLBACK = (Language.EN, Language.NB, Language.SV, Language.DA, Language.FI)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for one recipient."""

    subject: str
    html: str
    text: str


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
                for name, text in (
                    (f"{language}.subject.txt", one.subject),
                    (f"{language}.body.html", one.html),
                    (f"{language}.body.txt", one.text),
                )
            }
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Compiled":
        """Read the form in which a version is stored."""
        return cls(
            {Language(name): LanguageTemplate.model_validate(one) for name, one in stored.items()}
        )

    def language_for(self, wanted: str) -> Language:
        """Return the language that a person gets: theirs, else English, else what there is."""
        if wanted in self._languages:
            return Language(wanted)
        return next(language for language in _FALLBACK if language in self._languages)

    def source(self, language: Language) -> LanguageTemplate:
        """Return the message in a language as it is before anything is filled in."""
        return self._languages[language]

    def links(self, language: Language) -> list[Link]:
        """Return the tracked links, in the order of their positions."""
        return self._languages[language].links

    def render(self, language: Language, fields: Mapping[str, str]) -> Rendered:
        """Return the message.

        Raises:
            CannotRender: a field is missing, or the subject would break its header.
        """
        subject = self._sandbox.render(f"{language}.subject.txt", fields).strip()
        if CONTROL.search(subject):
            raise CannotRender("subject: a field holds a line break or another control character")
        return Rendered(
            subject=subject,
            html=self._sandbox.render(f"{language}.body.html", fields),
            text=self._sandbox.render(f"{language}.body.txt", fields),
        )
