"""Outcome measures: what they are, how answers become scores, and what a row of scores says. Pure."""
