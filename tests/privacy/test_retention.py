"""The periods that are told in one place are those by which every service works."""

from importlib import import_module

from contacts_svc.privacy.kinds import KINDS
from kantis.registry import SERVICES
from kantis_kit.retention import PARKED_DAYS

MODULES = {name: f"{name}_svc.privacy.retention" for name in SERVICES}


def test_every_service_keeps_its_kinds_as_long_as_is_told():
    real = {f"{name}.message_parked": PARKED_DAYS for name in SERVICES}
    for module in map(import_module, MODULES.values()):
        real |= {rule.kind: rule.days for rule in getattr(module, "RULES", ())}
    analytics = import_module(MODULES["analytics"])
    real[analytics.KIND] = analytics.DAYS

    assert {kind.name: kind.days for kind in KINDS} == real
    assert all(kind.least_days <= kind.days <= kind.most_days for kind in KINDS)
