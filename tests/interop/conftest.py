"""The installations that end-to-end tests run on, for tests with programs of others."""

from tests.e2e.conftest import amqp, clean_broker, databases, evidence, own_broker, plain_system, system, templates

__all__ = ["amqp", "clean_broker", "databases", "evidence", "own_broker", "plain_system", "system", "templates"]
