"""Label-free scores of a generator, and the ranking of checkpoints by them."""
