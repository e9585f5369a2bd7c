"""Alembic's entry: the environment that all services share."""

from shared.store.migrations import run_environment

run_environment()
