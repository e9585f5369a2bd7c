"""Manifests as data, and what must be true of them: every check yields a sentence for each violation."""
