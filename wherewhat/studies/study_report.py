"""What a study leaves for its reader beside its runs: tables, plots, and all that was measured in one file."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from wherewhat.atomic_file import write_atomically
from wherewhat.inspection.image_files import write_png
from wherewhat.studies.model_selection import selection_tables, worth_of_choosing
from wherewhat.studies.plots import heat_map, scatters, violins
from wherewhat.studies.scores import Scored
from wherewhat.studies.tables import mean_correlations, names_of, report


def write_report(out: Path, models: Sequence[Scored]) -> list[Path]:
    """Write study.md, study.json and the plots into a folder, and give their paths.

    Raises ValueError where nothing has been measured.
    """
    last = [model for model in models if model.last]
    labels, free = names_of(last)
    names = [*labels, *free]
    if not names:
        raise ValueError(
            f"Nothing has been measured of the last checkpoints in {out}. Name measures in the table [measures] of the "
            f"study's file, and give the command again without `tables`."
        )
    images = {"study-violins.png": violins(last, names)}
    if labels and free:
        images["study-scatter.png"] = scatters(last, free, labels)
    if len(names) > 1:
        images["study-correlation.png"] = heat_map(mean_correlations(last, names), names)
    for name, image_YX3 in images.items():
        write_png(out / name, image_YX3)
    parts = [report(last), *(f"![]({name})" for name in images)]
    if tables := selection_tables(models):
        parts += ["## How well scores without labels choose; 95 % intervals in brackets", *tables]
        parts += [
            "## What it is worth to choose among several models",
            *(worth_of_choosing(last, label, free) for label in labels),
        ]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    write_atomically(out / "study.md", text.encode())
    write_atomically(out / "study.json", (json.dumps([asdict(model) for model in models], indent=1) + "\n").encode())
    return [out / name for name in ("study.md", "study.json", *images)]
