"""What every service's `migrations/env.py` calls; it holds nothing else."""

from typing import Any

from alembic import context
from sqlalchemy import MetaData

from kantis_kit.db.partitions import is_partition
from kantis_kit.db.tables import KIT_TABLES, LATER_TABLES


def is_ours(_object: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Say whether autogenerate may look at it."""
    # Partitions and the chassis' tables are not in a service's models: without this filter
    # autogenerate would propose to drop them.
    if kind != "table" or name is None:
        return True
    return name not in KIT_TABLES + LATER_TABLES and not is_partition(name)


def run(metadata: MetaData | None = None) -> None:
    """Run the revisions on the connection that `kantis_kit.db.migrate` opened, or print their SQL."""
    if context.is_offline_mode():
        context.configure(
            dialect_name="postgresql", literal_binds=True, transaction_per_migration=True
        )
    else:
        context.configure(
            connection=context.config.attributes["connection"],
            target_metadata=metadata,
            include_object=is_ours,
            transaction_per_migration=True,
        )
    with context.begin_transaction():
        context.run_migrations()
