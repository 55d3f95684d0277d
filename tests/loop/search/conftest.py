from tests.api.conftest import empty_database, setup

__all__ = ["empty_database", "setup"]
