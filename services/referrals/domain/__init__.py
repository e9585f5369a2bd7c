"""The rules, pure: no input, no output, no framework."""
