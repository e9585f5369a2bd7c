"""Alembic's entry into this service's migrations."""

from shared.store.migrations import run_environment

run_environment()
