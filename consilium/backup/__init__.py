"""Backup and restore of the embedded PostgreSQL: whole base backups, and the write-ahead log for points in time."""
