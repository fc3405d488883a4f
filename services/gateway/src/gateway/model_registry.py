"""All tables of the gateway, for the migrations."""

from gateway.base import Base
from gateway.keys import model as keys_model
from gateway.spool import model as spool_model
from gateway.users import model as users_model

TABLES = (
    keys_model.ApiKey,
    spool_model.Spooled,
    users_model.User,
    users_model.Session,
    users_model.OneTimeLink,
)
metadata = Base.metadata
