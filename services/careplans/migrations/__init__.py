"""Alembic versions of this service's database."""
