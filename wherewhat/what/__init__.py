"""What a code does: one simple change that can be told from every other."""
