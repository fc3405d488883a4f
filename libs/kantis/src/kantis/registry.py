"""Every service of the house: where its composition root stands, and what runs beside its web side."""

from importlib import import_module

from kantis_kit.service import ServiceSpec

SERVICES = ("contacts", "campaign", "orders", "messaging", "analytics")
GATEWAY = "gateway"
ALL = (*SERVICES, GATEWAY)

_MODULES = {
    "contacts": "contacts_svc.main",
    "campaign": "campaign_svc.main",
    "orders": "orders_svc.main",
    "messaging": "messaging_svc.main",
    "analytics": "analytics_svc.main",
    "gateway": "gateway.main",
}


def spec_of(name: str) -> ServiceSpec:
    """Return a service's specification; imports nothing but that service."""
    spec: ServiceSpec = import_module(_MODULES[name]).SPEC
    return spec
