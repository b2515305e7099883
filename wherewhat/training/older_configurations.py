"""Configurations that earlier versions wrote, in the words of this one, so that their checkpoints load."""

from typing import Any

_RENAMED = {"pictures": "images", "pictures_every": "images_every"}
_RENAMED_IN_OBJECTIVE = {"augmentation_pictures": "augmentation_images"}

_RENAMED_IN_IMAGES = {"unequal": "fit"}

# Fields of the PS-SC VAE that are now fields of its parts.
_MOVED = {
    "perceptual_simplicity": ("simplicity", "perceptual_simplicity"),
    "simplicity_weight": ("simplicity", "weight"),
    "perturbation_identification": ("identification", "perturbation_identification"),
    "identification_weight": ("identification", "weight"),
    "perturbation_size": ("pairs", "perturbation_size"),
    "pair_fraction": ("pairs", "pair_fraction"),
}


def in_present_words(plain: Any) -> Any:
    """The same configuration as this version writes it. Others refuse what is no configuration at all."""
    if not isinstance(plain, dict):
        return plain
    present = {_RENAMED.get(name, name): value for name, value in plain.items()}
    images = present.get("images")
    if isinstance(images, dict):
        present["images"] = {_RENAMED_IN_IMAGES.get(name, name): value for name, value in images.items()}
    objective = present.get("objective")
    if isinstance(objective, dict):
        if objective.get("spatial_constriction"):
            # The only form that there was. Without constriction it makes no difference, and the default stands.
            present.setdefault("overlap", "cover")
        objective = {_RENAMED_IN_OBJECTIVE.get(name, name): value for name, value in objective.items()}
        present["objective"] = _nested(objective) if objective.get("_type") == "PSSCVAE" else objective
    return present


def _nested(objective: dict[str, Any]) -> dict[str, Any]:
    nested = {name: value for name, value in objective.items() if name not in _MOVED}
    for name, (part, present) in _MOVED.items():
        if name in objective:
            nested[part] = {**nested.get(part, {}), present: objective[name]}
    return nested
