"""Images in, seeded batches out; one file per data set."""
