"""Facts that contacts-svc publishes: who people are and what they allow."""

from kantis_contracts.contacts.intake import (
    ConfirmationRequest,
    ConfirmationRequestedV1,
    LeadReceived,
    LeadReceivedV1,
)
from kantis_contracts.contacts.people import (
    Lifecycle,
    PersonCard,
    PersonChangedV1,
    PersonMerge,
    PersonMergedV1,
)
from kantis_contracts.contacts.permissions import (
    PermissionChangedV1,
    PermissionEntry,
    PermissionState,
)
from kantis_contracts.contacts.segments import (
    AudienceFrozenV1,
    AudienceMember,
    AudienceRefusal,
    AudienceRefusedV1,
    ChannelReach,
    ReachCountedV1,
    RegisterWash,
)

__all__ = [
    "AudienceFrozenV1",
    "AudienceMember",
    "AudienceRefusal",
    "AudienceRefusedV1",
    "ChannelReach",
    "ConfirmationRequest",
    "ConfirmationRequestedV1",
    "LeadReceived",
    "LeadReceivedV1",
    "Lifecycle",
    "PermissionChangedV1",
    "PermissionEntry",
    "PermissionState",
    "PersonCard",
    "PersonChangedV1",
    "PersonMerge",
    "PersonMergedV1",
    "ReachCountedV1",
    "RegisterWash",
]
