"""Alembic migrations of referrals."""
