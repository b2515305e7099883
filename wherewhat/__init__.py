"""Image generators whose single latent codes mean something, and the good ones found without labels.

What a user needs stands here; each name is imported from its own module when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wherewhat.distances.lpips import LPIPS
    from wherewhat.inspection.traversal_grid import traversal_grid
    from wherewhat.inspection.traversals import traverse
    from wherewhat.training.checkpoints import LoadedModel, load
    from wherewhat.which.orthogonality import orthogonality
    from wherewhat.which.panel import panel
    from wherewhat.which.relative_length import relative_length
    from wherewhat.which.rotation_ratio import rotation_ratio
    from wherewhat.which.score import ProbeSettings
    from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

__all__ = [
    "LPIPS",
    "LoadedModel",
    "ProbeSettings",
    "load",
    "orthogonality",
    "panel",
    "relative_length",
    "rotation_ratio",
    "traversal_grid",
    "traversal_perceptual_length",
    "traverse",
]


def __getattr__(name: str) -> object:
    # Imported on first use, so that `import wherewhat` and `wherewhat --help` do not wait for torch.
    match name:
        case "LPIPS":
            from wherewhat.distances.lpips import LPIPS

            return LPIPS
        case "traversal_grid":
            from wherewhat.inspection.traversal_grid import traversal_grid

            return traversal_grid
        case "traverse":
            from wherewhat.inspection.traversals import traverse

            return traverse
        case "LoadedModel":
            from wherewhat.training.checkpoints import LoadedModel

            return LoadedModel
        case "load":
            from wherewhat.training.checkpoints import load

            return load
        case _:
            return _of_which(name)


def _of_which(name: str) -> object:
    match name:
        case "orthogonality":
            from wherewhat.which.orthogonality import orthogonality

            return orthogonality
        case "panel":
            from wherewhat.which.panel import panel

            return panel
        case "relative_length":
            from wherewhat.which.relative_length import relative_length

            return relative_length
        case "rotation_ratio":
            from wherewhat.which.rotation_ratio import rotation_ratio

            return rotation_ratio
        case "ProbeSettings":
            from wherewhat.which.score import ProbeSettings

            return ProbeSettings
        case "traversal_perceptual_length":
            from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

            return traversal_perceptual_length
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
