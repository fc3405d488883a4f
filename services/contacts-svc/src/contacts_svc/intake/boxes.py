"""The consent boxes of a form: the main one, and further ones with words of their own."""

from dataclasses import dataclass

from contacts_svc.intake.errors import AnswerInvalid
from contacts_svc.intake.model import Form
from contacts_svc.intake.schemas import MAIN_BOX, LeadIn
from kantis_contracts.values import Language


@dataclass(frozen=True, slots=True)
class Box:
    """What one tick says yes to, and in which words by language."""

    key: str
    purposes: tuple[str, ...]
    channels: tuple[str, ...]
    consent: dict[str, dict[str, str]]

    def words(self, language: Language, otherwise: str) -> tuple[str, str]:
        """Return the present words in a language, or in that of the form, and their version."""
        present = self.consent.get(language.value) or self.consent[otherwise]
        return present["text"], present["version"]


def boxes_of(form: Form) -> dict[str, Box]:
    """Return every box of a form by its key, the main one first."""
    main = Box(MAIN_BOX, tuple(form.purposes), tuple(form.channels), form.consent)
    more = [
        Box(one["key"], tuple(one["purposes"]), tuple(one["channels"]), one["consent"])
        for one in form.boxes
    ]
    return {box.key: box for box in (main, *more)}


def ticked(form: Form, body: LeadIn) -> dict[str, str]:
    """Return the boxes that were ticked, each with the version of the words that was seen (empty: not told).

    Raises:
        AnswerInvalid: the form has no such box.
    """
    unknown = sorted(body.boxes.keys() - boxes_of(form).keys() | body.boxes.keys() & {MAIN_BOX})
    if unknown:
        raise AnswerInvalid(
            f"boxes.{unknown[0]}: this form has no such further box; the main one is `consent`"
        )
    chosen = {MAIN_BOX: body.consent_version} if body.consent else {}
    return chosen | {key: body.box_versions.get(key, "") for key, yes in body.boxes.items() if yes}
