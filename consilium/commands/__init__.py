"""One file per command. Heavy imports stay inside the functions, so that every command starts fast."""
