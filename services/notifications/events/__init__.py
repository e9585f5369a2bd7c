"""Contracts in, contracts out: the only rooms that know the published language."""
