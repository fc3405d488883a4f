"""The way to a person, which every page and every mail has: its words, and where it leads."""

from collections.abc import Mapping

from kantis_contracts.values import Language

CONTACT: Mapping[Language, str] = {
    Language.NB: "Snakk med oss",
    Language.SV: "Prata med oss",
    Language.DA: "Tal med os",
    Language.FI: "Ota yhteyttä",
    Language.EN: "Talk to us",
}
CONTACT_PATH = "/chat"
CONTACT_PURPOSE = "contact"
"""Of the signed link that says who wants to talk to us; its payload is the person's id."""

__all__ = ["CONTACT", "CONTACT_PATH", "CONTACT_PURPOSE"]
