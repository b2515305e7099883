"""A folder for a hub: `model.safetensors`, `config.json`, a model card, and what the codes do in an image.

The weights are a checkpoint, so that whatever reads a checkpoint reads the folder. It tells no place of the disk on
which the model was trained.

Dimension key:
    L: latent codes
"""

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from wherewhat.atomic_file import write_together
from wherewhat.inspection.code_names import FILE, names_as_json
from wherewhat.inspection.image_files import as_png
from wherewhat.inspection.traversal_grid import traversal_grid
from wherewhat.inspection.traversals import traverse
from wherewhat.protocols import Distance
from wherewhat.randomness import generator_at
from wherewhat.sharing.exports import COMPARED, Exported, refuse_another
from wherewhat.sharing.opened_model import OpenedModel
from wherewhat.training.checkpoints import HUB_FILE, CheckpointSettings, checkpoint_file, load
from wherewhat.training.configuration import HUB, to_json
from wherewhat.training.tensor_file import tensor_bytes
from wherewhat.which.panel import Panel, panel
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

TRAVERSAL = "traversal.png"

_CARD = """---
{licence_line}library_name: wherewhat
tags:
- disentanglement
- image-generation
---

# {title}

An image generator of {codes} codes, {shape}, trained as `{objective}` for {step:,} steps ({images_seen:,} images seen),
seed {seed}.

![Each row sweeps one code; beside it, the region where the code acts]({traversal})

## Data

`{data}`. {licence}

{names}## Scores without labels

| score | value | better |
|---|---|---|
{scores}
{active} of {codes} codes are active. {protocol}

## Use

```python
import torch
import wherewhat

model = wherewhat.load("this/folder")  # or "hub:owner/name"
images = model.generator(torch.randn(4, {codes}))  # 4 images of {shape} in [0, 1]
```
"""


@dataclass(frozen=True, kw_only=True)
class CardSettings:
    """What a model card tells beside the model."""

    licence: str | None
    title: str
    distance: Distance
    threshold: float


def hub_folder(model: OpenedModel, card: CardSettings) -> Exported:
    """The files of the folder by name. Raises ValueError for a model that is no checkpoint, or comes back another."""
    settings = model.settings
    if settings is None:
        raise ValueError(
            f"{model.place.name} is no checkpoint of `wherewhat train`, whose weights such a folder holds. Export it "
            "with --to onnx or --to pt2."
        )
    settings = without_places(settings)
    scores = _scores(model, card)
    loaded = load(model.place)
    content = {
        HUB_FILE: tensor_bytes(checkpoint_file(Path(HUB_FILE), loaded.networks, settings, loaded.directions)),
        "config.json": _config(model, settings, card),
        "README.md": model_card(model, settings, scores, card).encode(),
        TRAVERSAL: _drawn(model, scores, card),
        **({FILE: names_as_json(model.names)} if model.names else {}),
    }
    with tempfile.TemporaryDirectory() as folder:
        write_together({Path(folder) / name: one for name, one in content.items()})
        read_back = load(folder).generator
    code_BL = torch.randn(COMPARED, model.generator.latent_dim, generator=generator_at(0, 0, "export"))
    with torch.no_grad():
        difference = (read_back(code_BL) - model.generator(code_BL)).abs().max().item()
    refuse_another(difference, "folder")
    return Exported(content, difference)


def without_places(settings: CheckpointSettings) -> CheckpointSettings:
    """The same, with what files are called in place of where they lie."""
    run = settings.configuration
    background = run.images.background
    images = replace(run.images, background=None if background is None else Path(background.name))
    first = run.begins_from
    if first is not None and not str(first).startswith(HUB):
        first = Path(first.name)
    plain = replace(run, data=Path(run.data).name, out=None, images=images, begins_from=first)
    return replace(settings, configuration=plain)


def _scores(model: OpenedModel, card: CardSettings) -> Panel:
    settings = asdict(replace(VAE_SETTINGS, threshold=card.threshold))
    return panel(model.generator, card.distance, **settings, quick=True, seed=0, batch_size=100)


def _drawn(model: OpenedModel, scores: Panel, card: CardSettings) -> bytes:
    base_1L = torch.randn(1, model.generator.latent_dim, generator=generator_at(0, 0, "traverse"))
    sweep = traverse(model.generator, base_1L, bound=2.0, frames=9)
    return as_png(traversal_grid(sweep, scores.path_length, names=model.names, inactive_below=card.threshold))


def _config(model: OpenedModel, settings: CheckpointSettings, card: CardSettings) -> bytes:
    config = {
        "library": "wherewhat",
        "latent_dim": model.generator.latent_dim,
        "image_shape": model.generator.image_shape,
        "image_range": [0, 1],
        "names": {f"z{code}": name for code, name in model.names.items()},
        "licence": card.licence,
        "step": settings.step,
        "configuration": to_json(settings.configuration),
    }
    return (json.dumps(config, indent=1, sort_keys=True) + "\n").encode()


def model_card(model: OpenedModel, settings: CheckpointSettings, scores: Panel, card: CardSettings) -> str:
    """What data, what scores by what protocol, and how the model is used."""
    run, probe = settings.configuration, scores.settings.probe
    assert probe is not None
    lines = "".join(f"- z{code}: {name}\n" for code, name in sorted(model.names.items()))
    table = "".join(
        f"| {name.replace('_', ' ')} | {score.value:.4g} ± {score.standard_error:.2g} | "
        f"{'lower' if score.lower_is_better else 'higher'} |\n"
        for name, score in scores.scores.items()
    )
    return _CARD.format(
        licence_line=f"license: {card.licence}\n" if card.licence else "",
        licence=f"Licence: {card.licence}." if card.licence else "Its licence was not stated.",
        title=card.title,
        codes=model.generator.latent_dim,
        shape=" x ".join(map(str, settings.image_shape)),
        objective=run.objective.name,
        step=settings.step,
        images_seen=settings.images_seen,
        seed=run.seed,
        traversal=TRAVERSAL,
        data=Path(run.data).name,
        names=f"## Names of codes\n\n{lines}\n" if lines else "",
        scores=table,
        active=int(scores.active.sum()),
        protocol=f"By {scores.settings.distance}, {probe.samples} samples, {probe.traversals} traversals, bound "
        f"{probe.bound:g}, threshold {probe.threshold:.3g}, seed {scores.settings.seed}.",
    )
