"""One suite of tests a port, inherited by the tests of whoever answers it."""

import pytest

pytest.register_assert_rewrite("tests.contracts.store")
