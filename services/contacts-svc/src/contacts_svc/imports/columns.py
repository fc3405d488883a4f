"""Which column is which: the names that people give their columns, in five languages."""

from collections.abc import Mapping, Sequence
from typing import Final

from contacts_svc.fields.model import CustomField
from contacts_svc.imports.values import FORMS_OF
from contacts_svc.people.model import FIELDS
from kantis_contracts.values import Channel, Purpose

IGNORED: Final = ""
PERMISSION = "permission."
CUSTOM = "custom."
AS_OF = "as_of"
"""The day on which a row told the truth; not kept, only compared with."""
_SHOWN = 12
FULL_YES = frozenset({"1", "yes", "y", "ja", "j", "kyllä", "k", "true", "sann", "x", "on"})

_NAMES: Mapping[str, str] = {
    "email": (
        "email e-mail mail e-post epost e-postadresse epostadresse e-postadress epostadress mejl e-mailadresse "
        "emailadresse email-address emailaddress sähköposti sähköpostiosoite"
    ),
    "phone": (
        "phone mobile mobil mobiltelefon mobilnummer mobilnr telefon telefonnummer tlf tlfnr mobilenumber phonenumber "
        "cellphone puhelin matkapuhelin puhelinnumero gsm"
    ),
    "full_name": "name fullname navn fulltnavn namn heltnamn fuldenavn nimi kokonimi kontakt",
    "given_name": "firstname givenname fornavn förnamn etunimi",
    "family_name": "lastname surname familyname etternavn efternavn efternamn sukunimi",
    "preferred_name": "preferredname nickname kallenavn kaldenavn tilltalsnamn tiltalenavn kutsumanimi",
    "street": "street address streetaddress adresse gateadresse adress gatuadress vej osoite katuosoite gate gata",
    "postal_code": "postalcode postcode zip zipcode postnr postnummer postinumero",
    "city": "city town poststed postort sted by ort kaupunki postitoimipaikka",
    "country": "country countrycode land landkode landkod maa maakoodi",
    "language": "language språk sprog kieli lang",
    "source": "source kilde källa lähde",
    "salutation": "salutation hilsen hilsningsfras tilltal tiltale puhuttelu",
    "note": "note notes merknad notat anteckning bemærkning huomautus",
}
KNOWN: Mapping[str, str] = {
    name: field for field, names in _NAMES.items() for name in names.split()
}
TARGETS = frozenset(
    {
        "email",
        "phone",
        AS_OF,
        *FIELDS,
        *(
            f"{PERMISSION}{channel.value}.{purpose.value}"
            for channel in Channel
            for purpose in Purpose
        ),
    }
) - {"time_zone", "lifecycle", "address_as_given"}


def fold(name: str) -> str:
    """Return a column's name without what people write differently: case, spaces, dots, underscores."""
    return "".join(sign for sign in name.casefold() if sign not in " ._:*/()")


def _own_names(declared: Mapping[str, CustomField]) -> dict[str, str]:
    """Return what columns of declared fields may be called: their keys, and their titles in every language."""
    names: dict[str, str] = {}
    for key, field in declared.items():
        if not field.is_closed:
            for name in (key, f"{CUSTOM}{key}", *field.titles.values()):
                names.setdefault(fold(name), f"{CUSTOM}{key}")
    return names


def guess(header: Sequence[str], declared: Mapping[str, CustomField]) -> dict[str, str]:
    """Return column → field for the columns whose names are known; the first of two for one field counts."""
    found: dict[str, str] = {}
    own = _own_names(declared)
    for column in header:
        plain = column.strip().lower()
        field = (
            plain
            if plain in TARGETS
            else KNOWN.get(fold(column))
            or KNOWN.get(fold(column).replace("-", ""))
            or own.get(fold(column))
        )
        if field and field not in found.values() and column not in found:
            found[column] = field
    return found


def kind_of(field: str, declared: Mapping[str, CustomField]) -> str:
    """Return what kind of value a field holds; plain text for all but the declared ones."""
    if field == AS_OF:
        return "date"
    found = declared.get(field.removeprefix(CUSTOM)) if field.startswith(CUSTOM) else None
    return found.kind if found else "text"


def is_target(field: str, declared: Mapping[str, CustomField]) -> bool:
    """Say whether a column can be read into this field."""
    if field.startswith(CUSTOM):
        found = declared.get(field.removeprefix(CUSTOM))
        return found is not None and not found.is_closed
    return field in TARGETS


def format_problems(
    mapping: Mapping[str, str], formats: Mapping[str, str], declared: Mapping[str, CustomField]
) -> list[str]:
    """Return what is wrong with formats that were given, in sentences."""
    wrong = []
    for column, form in formats.items():
        kind = kind_of(mapping.get(column, IGNORED), declared)
        known = FORMS_OF.get(kind, ())
        if not known:
            wrong.append(f"formats: column {column[:60]!r} is read as {kind}, which has one format")
        elif form not in known:
            wrong.append(
                f"formats: {form[:40]!r} is no format of a {kind}; use one of {', '.join(known)}"
            )
    return wrong


def problems(
    header: Sequence[str], mapping: Mapping[str, str], declared: Mapping[str, CustomField]
) -> list[str]:
    """Return what is wrong with a mapping, in sentences; empty when it can be used."""
    wrong = []
    own = sorted(f"{CUSTOM}{key}" for key, one in declared.items() if not one.is_closed)
    for column, field in mapping.items():
        if column not in header:
            wrong.append(
                f"mapping: the file has no column {column[:60]!r}; it has {_listed(header)}"
            )
        if field != IGNORED and not is_target(field, declared):
            wrong.append(
                f"mapping: {field[:60]!r} is no field; use one of {', '.join([*sorted(TARGETS), *own])}"
            )
    used = [field for field in mapping.values() if field != IGNORED]
    twice = sorted({field for field in used if used.count(field) > 1})
    if twice:
        wrong.append(
            f"mapping: two columns for {', '.join(twice)}; set one of them to an empty text"
        )
    if not {"email", "phone"} & set(used):
        wrong.append(
            f"no column for an e-mail address or a phone number was found among {_listed(header)}"
        )
    if not {"full_name", "given_name", "family_name", "preferred_name"} & set(used):
        wrong.append(f"no column for a name was found among {_listed(header)}")
    named = [column for column in header if column]
    doubled = sorted({column for column in named if named.count(column) > 1})
    if doubled:
        wrong.append(f"the header has the column {doubled[0][:60]!r} twice")
    return wrong


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(repr(column[:40]) for column in header[:_SHOWN])
    return f"{shown} …" if len(header) > _SHOWN else shown
