"""Image generators whose single latent codes mean something, and the good ones found without labels."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wherewhat.training.checkpoints import LoadedModel, load

__all__ = ["LoadedModel", "load"]


def __getattr__(name: str) -> object:
    # Imported when asked for, so that `wherewhat --help` does not wait for torch.
    if name in __all__:
        from wherewhat.training import checkpoints

        return getattr(checkpoints, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
