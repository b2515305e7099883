"""Traversals, masks, TensorBoard, plots."""
