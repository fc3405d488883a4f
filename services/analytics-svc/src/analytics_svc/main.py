"""Composition root of analytics-svc."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import analytics_svc.facts.consumers
import analytics_svc.merges.consumers
import analytics_svc.privacy.consumers
import analytics_svc.privacy.jobs
import analytics_svc.schedules.jobs
import analytics_svc.worth.jobs
from analytics_svc.campaigns.api import router
from analytics_svc.company.api import router as company
from analytics_svc.customers.api import router as customers
from analytics_svc.funnels.api import router as funnels
from analytics_svc.model_registry import metadata
from analytics_svc.pages.api import router as pages
from analytics_svc.questions.api import router as questions
from analytics_svc.questions.clickhouse import ClickHouseFacts
from analytics_svc.questions.jobs import copy_facts
from analytics_svc.questions.postgres import PostgresFacts
from analytics_svc.questions.store import FactStore
from analytics_svc.saved.api import router as saved
from analytics_svc.schedules.api import router as schedules
from analytics_svc.settings import AnalyticsSettings
from analytics_svc.worth.api import router as worth
from kantis_kit.consumer import handlers_in
from kantis_kit.db.partitions import Monthly
from kantis_kit.service import ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.timers import jobs_in, timers_in


def _extras(settings: ServiceSettings) -> Mapping[type, Any]:
    store: FactStore = PostgresFacts()
    if isinstance(settings, AnalyticsSettings) and settings.fact_store == "clickhouse":
        dsn = settings.clickhouse_dsn.get_secret_value()
        store = ClickHouseFacts(dsn, settings.clickhouse_database)
    return {FactStore: store}


SPEC = ServiceSpec(
    name="analytics",
    title="Kantis reports",
    settings=AnalyticsSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    partitions=[Monthly("fact", "key")],
    routers=[router, pages, customers, company, funnels, worth, saved, schedules, questions],
    handlers=handlers_in(
        analytics_svc.facts.consumers,
        analytics_svc.merges.consumers,
        analytics_svc.privacy.consumers,
    ),
    timers=timers_in(analytics_svc.schedules.jobs),
    jobs=jobs_in(analytics_svc.privacy.jobs, analytics_svc.worth.jobs),
    loops=[copy_facts],
    extras=_extras,
)
