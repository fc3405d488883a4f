"""Who asked to be forgotten or to be told what is known of them, and how long which data is kept."""

from uuid import UUID

from pydantic import AwareDatetime

from kantis_contracts.base import Event, Item, Items


class ErasureRequest(Item):
    """A person to be forgotten, under every id they were ever known by here.

    `address_hashes` are SHA-256 over `salt` and a canonical address: by them, and by nothing else, what names an
    address and no id is found.
    """

    erasure_id: UUID
    person_ids: tuple[UUID, ...]
    requested_at: AwareDatetime
    salt: str = ""
    address_hashes: tuple[str, ...] = ()


class ErasureRequestedV1(Event, type="contacts.erasure.requested.v1"):
    """Persons are to be forgotten everywhere; never taken back.

    Every service answers with a receipt. `services` names those that are asked again, nobody else has to answer; a
    reminder is answered by those alone who found something to forget.
    """

    items: tuple[ErasureRequest, ...] = Items
    services: tuple[str, ...] = ()
    is_reminder: bool = False


class DossierRequest(Item):
    """A person who is to be told everything that is known of them."""

    dossier_id: UUID
    person_ids: tuple[UUID, ...]


class DossierRequestedV1(Event, type="contacts.dossier.requested.v1"):
    """Persons want to know what is known of them; every service answers with what it holds."""

    items: tuple[DossierRequest, ...] = Items


class RetentionPeriod(Item):
    """How long a kind of data is kept; `kind` begins with the service that holds it."""

    kind: str
    days: int
    version: int


class RetentionChangedV1(Event, type="contacts.retention.changed.v1"):
    """Periods for which data is kept have been decided."""

    items: tuple[RetentionPeriod, ...] = Items
