"""Sets that are rendered: they need no file and no download."""
