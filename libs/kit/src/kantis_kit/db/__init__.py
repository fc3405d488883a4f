"""A service's database: engine, pools, the kit's own tables, migrations."""

from kantis_kit.db.database import Database

__all__ = ["Database"]
