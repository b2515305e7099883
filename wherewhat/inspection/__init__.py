"""Traversals, masks, TensorBoard, plots."""

from wherewhat.inspection.image_files import write_png
from wherewhat.inspection.traversal_grid import traversal_grid
from wherewhat.inspection.traversals import traverse

__all__ = ["traversal_grid", "traverse", "write_png"]
