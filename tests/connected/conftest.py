import pytest

from kantis_kit.testing.rabbit import rabbit_server, rabbit_to_break

__all__ = ["rabbit_server", "rabbit_to_break"]

pytest.register_assert_rewrite("kantis_kit.testing.broker_promises")
