"""What says that a database is away, not that a statement was wrong."""

import asyncpg

CONNECTION_ERRORS: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that died under a statement is in no state that the driver knows
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
)


def is_away(error: BaseException | None) -> bool:
    """Say whether an error, or what caused it, means that the database cannot be reached."""
    while error is not None:
        # A system error that names a file is about that file, not about a connection.
        is_about_file = isinstance(error, OSError) and error.filename is not None
        if isinstance(error, CONNECTION_ERRORS) and not is_about_file:
            return True
        if getattr(error, "connection_invalidated", False):
            return True
        original = getattr(error, "orig", None)
        error = original if isinstance(original, BaseException) else error.__cause__
    return False
