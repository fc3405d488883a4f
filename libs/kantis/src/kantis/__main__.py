"""`python -m kantis`."""

import gc

# As a service has it once it runs. Importing makes some hundred thousand objects that stay, and a sixth of its time was
# spent on looking for garbage among them.
gc.set_threshold(100_000, 50, 100)

from kantis.cli import app  # noqa: E402 - what is imported here is what it is about

app()
