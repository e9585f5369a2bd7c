"""Use cases: load, change, let the rules decide, save."""
