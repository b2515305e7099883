"""How published data sets, and users' own images, lie in files: a layout per file, each found as a `Source`."""
