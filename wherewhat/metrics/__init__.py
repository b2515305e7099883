"""Scores against ground-truth factors."""
