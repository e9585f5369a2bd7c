"""Alembic migrations of notifications."""
