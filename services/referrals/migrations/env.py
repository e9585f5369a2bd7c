"""Alembic's entry: everything is shared."""

from shared.store.migrations import run_environment

run_environment()
