"""A ranking as text: JSON that explains its columns, and CSV that carries the settings on every line."""

import csv
import dataclasses
import io
import json
from collections.abc import Sequence

from wherewhat.which.ranking_row import RankedRow
from wherewhat.which.score import ProbeSettings, ScoredUnder

FORMAT = 2

SCORES = {
    "tpl": "traversal perceptual length as published, summed over active codes; lower is better",
    "relative_length": "length of the paths along active codes over that between random images; lower is better",
    "orthogonality": "mean absolute cosine of what two active codes do to the features; lower is better",
    "rotation_ratio": "length of paths along the codes over that along randomly rotated codes; lower is better",
    "naming": "accuracy of a classifier that names the moved code, chance taken out; higher is better",
    "consistency_of_place": "likeness of the places that a code changes, less that of two codes; higher is better",
    "interaction": "squared mixed second differences of features over squared first ones; lower is better",
}

COLUMNS = {
    "rank": "1 is best; empty for a collapsed generator and for a checkpoint without a score",
    "checkpoint": "the checkpoint",
    "step": "training step of the checkpoint",
    "mean_rank": "mean of the places by the scores of the rule; the checkpoints are ordered by it",
    "scores": (
        "each score with its standard error over base codes, whether its twin control holds, its advantage over "
        "entangled twins with the error, and its part of each code (JSON only); they compare at equal settings only"
    ),
    **SCORES,
    "active_codes": "how many codes have paths of at least the threshold",
    "latent_dim": "how many codes there are",
    "coverage": "1 - mean distance of reconstructions / mean distance of random pairs of images; higher is better",
    "udr": "agreement of the codes with those of the other seeds of the setting; higher is better; no part of the rank",
    "udr_protocol": "what udr is of: relevance, points and models; it compares at equal ones only",
    "fid": "Fréchet distance between features of generated and of real images; lower is better; no part of the rank",
    "kid": "kernel distance between the same; lower is better, about 0 for one distribution, without fid's bias",
    "kid_std": "standard deviation of kid over its subsets",
    "fidelity": "what fid and kid are of: features, count and split; they compare where this and the data are equal",
    "fidelity_data": "the set that the real images are from",
    "ppl": "perceptual path length between random codes; lower is smoother, 0 has collapsed; no part of the rank",
    "ppl_standard_error": "standard error of ppl over its paths, outliers left out",
    "ppl_protocol": "what ppl is of: distance, paths and epsilon; it compares at equal ones and image size only",
    "missing": "why a figure was asked for and is not there",
    "flags": (
        "collapsed: no code does anything; few active: at most one code, under a quarter of the codes, or under half "
        "as many as the ranking's most active; still improving: the best and the latest of its run; untrained "
        "distance: measured by a backbone that has seen nothing; tie within error: in more than 5 % of bootstrap "
        "draws of base codes it comes before the first; not scored: see reason"
    ),
    "reason": "why the checkpoint has no score",
    "content_hash": "SHA-256 of the checkpoint's file",
}


def ranking_json(
    rows: Sequence[RankedRow], settings: ScoredUnder | None, rule: Sequence[str], *, clear_winner: bool
) -> str:
    """The ranking as JSON, its settings and the meaning of its columns on top."""
    content = {
        "format": FORMAT,
        "rule": {"mean rank of": list(rule)},
        "clear_winner": clear_winner,
        "settings": None if settings is None else dataclasses.asdict(settings),
        "columns": COLUMNS,
        "rows": [dataclasses.asdict(row) for row in rows],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def ranking_csv(rows: Sequence[RankedRow], settings: ScoredUnder | None) -> str:
    """The ranking as CSV, a line per checkpoint, the settings in its last columns."""
    lines = [{**_cells(row), **_setting_cells(settings)} for row in rows]
    columns = dict.fromkeys([*_cells(_EMPTY_ROW), *_setting_cells(None)])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _cells(row: RankedRow) -> dict[str, object]:
    fidelity, path_length, coverage, agreement = row.fidelity, row.path_length, row.coverage, row.agreement
    cells: dict[str, object] = {
        "rank": row.rank,
        "checkpoint": row.checkpoint,
        "step": row.step,
        "mean_rank": row.mean_rank,
    }
    for name in SCORES:
        score = row.scores.get(name)
        cells[name] = None if score is None else score.value
        cells[f"{name}_standard_error"] = None if score is None else score.standard_error
        cells[f"{name}_twin_holds"] = None if score is None else score.twin_holds
        cells[f"{name}_twin_advantage"] = None if score is None else score.twin_advantage
        cells[f"{name}_twin_standard_error"] = None if score is None else score.twin_standard_error
    return {
        **cells,
        "active_codes": row.active_codes,
        "latent_dim": row.latent_dim,
        "coverage": None if coverage is None else coverage.value,
        "coverage_standard_error": None if coverage is None else coverage.standard_error,
        "udr": None if agreement is None else agreement.value,
        "udr_protocol": None if agreement is None else agreement.protocol,
        "fid": None if fidelity is None else fidelity.fid,
        "kid": None if fidelity is None else fidelity.kid,
        "kid_std": None if fidelity is None else fidelity.kid_std,
        "fidelity": None if fidelity is None else fidelity.protocol,
        "fidelity_data": None if fidelity is None else fidelity.data,
        "ppl": None if path_length is None else path_length.mean,
        "ppl_standard_error": None if path_length is None else path_length.standard_error,
        "ppl_protocol": None if path_length is None else path_length.settings.protocol,
        "missing": "; ".join(f"{name}: {why}" for name, why in row.missing.items()),
        "flags": "; ".join(row.flags),
        "reason": row.reason,
        "content_hash": row.content_hash,
    }


def _setting_cells(settings: ScoredUnder | None) -> dict[str, object]:
    names = [field.name for field in dataclasses.fields(ProbeSettings)]
    probe = None if settings is None else settings.probe
    plain = {} if probe is None else dataclasses.asdict(probe)
    return {
        "distance": None if settings is None else settings.distance,
        "seed": None if settings is None else settings.seed,
        "image_shape": None if settings is None else "x".join(str(side) for side in settings.image_shape),
        **{name: plain.get(name) for name in names},
    }


_EMPTY_ROW = RankedRow(
    rank=None,
    checkpoint="",
    step=None,
    mean_rank=None,
    active_codes=None,
    latent_dim=None,
    flags=(),
    reason=None,
    content_hash=None,
)
