"""What `make release` does: check, build, list what is inside, say what to push; pushing is for people."""
