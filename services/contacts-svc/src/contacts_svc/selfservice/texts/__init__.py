"""Words of the self-service pages, in five languages."""

from collections.abc import Mapping

from contacts_svc.selfservice.texts import da, en, fi, nb, sv
from kantis_contracts.values import Language

TEXTS: Mapping[Language, Mapping[str, str]] = {
    Language.NB: nb.TEXTS,
    Language.SV: sv.TEXTS,
    Language.DA: da.TEXTS,
    Language.FI: fi.TEXTS,
    Language.EN: en.TEXTS,
}
