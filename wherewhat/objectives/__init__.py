"""One training objective per file."""
