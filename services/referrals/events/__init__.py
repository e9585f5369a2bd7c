"""From domain facts to the published language."""
