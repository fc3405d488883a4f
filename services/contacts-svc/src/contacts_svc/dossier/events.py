"""What leaves the service about dossiers."""

from uuid import UUID

from contacts_svc.dossier.model import Dossier
from kantis_contracts.contacts.privacy import DossierRequest, DossierRequestedV1


def dossier_requested(row: Dossier) -> DossierRequestedV1:
    """Ask every service what it holds of a person."""
    request = DossierRequest(dossier_id=row.id, person_ids=tuple(map(UUID, row.person_ids)))
    return DossierRequestedV1(items=(request,))
