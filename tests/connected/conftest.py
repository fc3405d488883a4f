import pytest

pytest.register_assert_rewrite("kantis_kit.testing.broker_promises")
