"""What tests need and the product does not: a PostgreSQL per session, a mail server, faults, waiting."""
