"""`python -m kantis`."""

from kantis.cli import app

app()
