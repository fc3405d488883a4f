"""What can be refused about dossiers."""

from kantis_kit.errors import NotFound


class DossierUnknown(NotFound):
    """There is no such dossier, or its time is over."""

    slug, title = "dossier-unknown", "There is no such dossier, or its time is over"
