"""Alembic migrations of careplans."""
