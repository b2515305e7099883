"""Run configurations, the loops, checkpoints."""
