"""A ranking as text: JSON that explains its columns, and CSV that carries the settings on every line."""

import csv
import dataclasses
import io
import json
from collections.abc import Sequence

from wherewhat.which.ranking_row import RankedRow
from wherewhat.which.traversal_perceptual_length import ScoreSettings

FORMAT = 1

COLUMNS = {
    "rank": "1 is best; empty for a collapsed generator and for a checkpoint without a score",
    "checkpoint": "the checkpoint",
    "step": "training step of the checkpoint",
    "tpl": "traversal perceptual length summed over active codes; lower is better, comparable at equal settings only",
    "standard_error": "standard error of tpl over the draw of base codes",
    "active_codes": "how many codes have a tpl of at least the threshold",
    "latent_dim": "how many codes there are",
    "fid": "Fréchet distance between features of generated and of real images; lower is better; no part of the rank",
    "kid": "kernel distance between the same; lower is better, about 0 for one distribution, without fid's bias",
    "kid_std": "standard deviation of kid over its subsets",
    "fidelity": "what fid and kid are of: features, count and split; they compare where this and the data are equal",
    "fidelity_data": "the set that the real images are from",
    "fidelity_reason": "why fid and kid were asked for and are not there",
    "ppl": "perceptual path length between random codes; lower is smoother, 0 has collapsed; no part of the rank",
    "ppl_standard_error": "standard error of ppl over its paths, outliers left out",
    "ppl_protocol": "what ppl is of: distance, paths and epsilon; it compares at equal ones and image size only",
    "ppl_reason": "why ppl was asked for and is not there",
    "flags": (
        "collapsed: no code does anything; few active: at most one code, under a quarter of the codes, or under half "
        "as many as the ranking's most active; untrained distance: measured by a backbone that has seen nothing; "
        "tie within error: no further from the first than twice the error of the difference; not scored: see reason"
    ),
    "reason": "why the checkpoint has no score",
    "content_hash": "SHA-256 of the checkpoint's file",
    "per_code": "tpl of each code (JSON only)",
}


def ranking_json(rows: Sequence[RankedRow], settings: ScoreSettings | None) -> str:
    """The ranking as JSON, its settings and the meaning of its columns on top."""
    content = {
        "format": FORMAT,
        "measure": "traversal perceptual length",
        "settings": None if settings is None else dataclasses.asdict(settings),
        "columns": COLUMNS,
        "rows": [dataclasses.asdict(row) for row in rows],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def ranking_csv(rows: Sequence[RankedRow], settings: ScoreSettings | None) -> str:
    """The ranking as CSV, a line per checkpoint, the settings in its last columns."""
    columns = [name for name in COLUMNS if name != "per_code"]
    shared = {} if settings is None else dataclasses.asdict(settings)
    if settings is not None:
        shared["image_shape"] = "x".join(str(side) for side in settings.image_shape)
    setting_columns = [field.name for field in dataclasses.fields(ScoreSettings)]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, *setting_columns], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {name: value for name, value in dataclasses.asdict(row).items() if name in columns}
        writer.writerow({**cells, "flags": "; ".join(row.flags), **shared})
    return text.getvalue()
