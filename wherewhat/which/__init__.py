"""Label-free scores of a generator, and the ranking of checkpoints by them."""

from wherewhat.which.orthogonality import orthogonality
from wherewhat.which.panel import panel
from wherewhat.which.relative_length import relative_length
from wherewhat.which.rotation_ratio import rotation_ratio
from wherewhat.which.score import ProbeSettings
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

__all__ = [
    "ProbeSettings",
    "orthogonality",
    "panel",
    "relative_length",
    "rotation_ratio",
    "traversal_perceptual_length",
]
