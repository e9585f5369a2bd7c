"""Speed as ratios: what we do and its references, measured in one run on one machine (docs/adr/0005-speed.md)."""
