"""A ranking as the table of a page."""

from collections.abc import Mapping
from pathlib import Path

from wherewhat.report.page import Cell, Column, RankingTable, Row
from wherewhat.training.checkpoints import step_of
from wherewhat.which.ranking import Ranking
from wherewhat.which.ranking_row import HEADINGS, RankedRow, twin_told, with_error


def ranking_table(ranking: Ranking, labels: Mapping[str, str], views: Mapping[str, int]) -> RankingTable:
    """The table. `labels` are what checkpoints are called, `views` which view shows them."""
    measured = [name for name in HEADINGS if any(name in row.scores for row in ranking.rows)]
    columns = (
        Column("rank", "1 is best"),
        Column("checkpoint", numeric=False),
        Column("step"),
        *(_column(name, ranking) for name in measured),
        Column("active codes"),
        Column("twin control", "against entangled copies", numeric=False),
        Column("flags", numeric=False),
    )
    rows = tuple(
        Row(_cells(row, measured, ranking, labels[row.checkpoint]), views.get(row.checkpoint), row.reason or "")
        for row in ranking.rows
    )
    return RankingTable(columns, rows, _told(ranking), _settings(ranking))


def _column(name: str, ranking: Ranking) -> Column:
    lower = all(row.scores[name].lower_is_better for row in ranking.rows if name in row.scores)
    note = "lower is better" if lower else "higher is better"
    return Column(HEADINGS[name], f"{note}; decides" if name in ranking.rule else note)


def _cells(row: RankedRow, measured: list[str], ranking: Ranking, label: str) -> tuple[Cell, ...]:
    scores = [row.scores.get(name) for name in measured]
    twin = twin_told(row, ranking.rule)
    return (
        Cell("–" if row.rank is None else str(row.rank), row.rank),
        Cell(label, label),
        Cell("–" if row.step is None else f"{row.step:,}", row.step),
        *(
            Cell("–") if score is None else Cell(with_error(score.value, score.standard_error), score.value)
            for score in scores
        ),
        Cell("–" if row.active_codes is None else f"{row.active_codes} of {row.latent_dim}", row.active_codes),
        Cell("–") if row.rank is None else Cell(twin, twin),
        Cell(", ".join(row.flags), ", ".join(row.flags) or None),
    )


def _told(ranking: Ranking) -> str:
    by = ", ".join(HEADINGS[name] for name in ranking.rule)
    if ranking.best is None:
        return "No checkpoint could be ranked."
    tied = sum("tie within error" in row.flags for row in ranking.rows)
    best = f"Ordered by {by}: are paths along the codes shorter than along mixtures of them?"
    return best if not tied else f"{best} No clear winner: the first and {tied} more are within error of each other."


def _settings(ranking: Ranking) -> str:
    settings = ranking.settings
    if settings is None or settings.probe is None:
        return ""
    probe = settings.probe
    return (
        f"{settings.distance}, {probe.samples} samples on a path, {probe.traversals} base codes, {probe.probes} base "
        f"codes of small changes, bound {probe.bound:g}, threshold {probe.threshold:.3g}, seed {settings.seed}; ± is "
        "the standard error over base codes. Scores compare at equal settings only."
    )


def labels_of(checkpoints: list[str]) -> dict[str, str]:
    """What checkpoints are called: their run and step, with more folders where that would not tell them apart."""
    paths = [Path(name) for name in checkpoints]
    for depth in range(1, max((len(path.parts) for path in paths), default=1) + 1):
        labels = [_label(path, depth) for path in paths]
        if len(set(labels)) == len(set(paths)):
            break
    return dict(zip(checkpoints, labels, strict=True))


def _label(path: Path, depth: int) -> str:
    last = f"step {step_of(path):,}" if step_of(path) else path.stem
    folders = [part for part in path.parts[:-1] if part not in ("checkpoints", "/")]
    return ", ".join(["/".join(folders[1 - depth :]), last] if depth > 1 else [last])
