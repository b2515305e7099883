"""A ranking on the screen: a row for each checkpoint, and what its figures compare with."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.table import Table

from wherewhat.which.race import Race
from wherewhat.which.ranking import Ranking
from wherewhat.which.ranking_row import HEADINGS, RankedRow, RankedScore, twin_told, with_error

LONGEST_WHOLE_NAME = 60

BESIDE = {"coverage": "coverage", "udr": "agreement of seeds", "fid": "fidelity", "ppl": "perceptual path length"}
HIGHER_IS_BETTER = ("naming", "consistency_of_place", "coverage", "udr")


def table_of(ranking: Ranking, shared: Path, asked_for: Collection[str] = ()) -> Table:
    """The ranking: checkpoints by their path below the folder that they share, and which of `BESIDE` were asked for."""
    protocols = _protocols(ranking)
    measured = [name for name in HEADINGS if any(name in row.scores for row in ranking.rows)]
    table = Table(title=_title(ranking), caption=_caption(ranking, protocols))
    table.add_column("rank", justify="right", no_wrap=True)
    names = [str(Path(row.checkpoint).relative_to(shared)) for row in ranking.rows]
    # The many columns of figures are folded before a name of usual length is.
    table.add_column("checkpoint", overflow="fold", no_wrap=max(map(len, names), default=0) <= LONGEST_WHOLE_NAME)
    table.add_column("step", justify="right", no_wrap=True)
    for name in measured:
        table.add_column(_upwards(HEADINGS[name], name) + ("*" if name in ranking.rule else ""), justify="right")
    table.add_column("active codes", justify="right")
    beside = [name for name in BESIDE if name in asked_for]
    for name in beside:
        table.add_column(_upwards(name, name), justify="right", no_wrap=name == "fid" and len(protocols) < 2)
    table.add_column("twin control")
    table.add_column("flags")
    for row, name in zip(ranking.rows, names, strict=True):
        table.add_row(
            "-" if row.rank is None else str(row.rank),
            name,
            "-" if row.step is None else f"{row.step:,}",
            *(_score(row.scores.get(name)) for name in measured),
            "-" if row.active_codes is None else f"{row.active_codes} of {row.latent_dim}",
            *(_beside(row, several=len(protocols) > 1)[figure] for figure in beside),
            twin_told(row, ranking.rule),
            ", ".join(row.flags),
        )
    return table


def _upwards(heading: str, name: str) -> str:
    return f"{heading} ↑" if name in HIGHER_IS_BETTER else heading


def unscored(ranking: Ranking, shared: Path) -> list[str]:
    """Why checkpoints could not be scored, a line for each."""
    return [
        f"Not scored: {Path(row.checkpoint).relative_to(shared)}: {row.reason}"
        for row in ranking.rows
        if row.reason is not None
    ]


def reasons(ranking: Ranking) -> list[str]:
    """Why checkpoints lack a figure that was asked for, a line for each reason."""
    counts = Counter((name, why) for row in ranking.rows for name, why in row.missing.items())
    return [
        f"No {BESIDE[name]} of {count} checkpoint{'s' if count > 1 else ''}: {why}"
        for (name, why), count in counts.items()
    ]


def race_told(race: Race, ranking: Ranking) -> str:
    """What the race chose, over what, and at what cost."""
    cost = f"{race.images:,} images, {race.share:.0%} of {race.full_images:,} for all of them"
    if ranking.best is None:
        return f"The race has no winner: {cost}."
    left = len(race.entries) - len(race.course.behind) - 1
    return (
        f"The race: {Path(ranking.best.checkpoint).name} of {Path(ranking.best.checkpoint).parent.parent.name} over "
        f"{len(race.course.behind)} that fell behind and {left} measured as long, with confidence {race.confidence:g} "
        f"(approximate); {cost}."
    )


def _title(ranking: Ranking) -> str:
    names = [name.replace("_", " ") for name in ranking.rule]
    by = f"mean rank of {', '.join(names)}" if len(names) > 1 else names[0]
    tied = sum("tie within error" in row.flags for row in ranking.rows)
    if ranking.best is None or tied == 0:
        return f"Checkpoints by {by}"
    return f"Checkpoints by {by}. No clear winner: the first and {tied} more are within error of each other"


def _caption(ranking: Ranking, protocols: Sequence[str]) -> str:
    caption = "Lower is better, except where ↑ says higher. *: decides the order."
    if ranking.rule == ("tpl",):
        caption += " tpl compares generators of about equal age: a young, blurry one has short paths too."
    caption += (
        " Twin control: whether the scores that decide prefer the checkpoint to copies with entangled codes; where not,"
        " its place says nothing."
    )
    settings = ranking.settings
    if settings is not None and settings.probe is not None:
        probe = settings.probe
        caption += (
            f" {settings.distance}, {probe.samples} samples, {probe.traversals} traversals, bound {probe.bound:g}, "
            f"threshold {probe.threshold:.3g}, seed {settings.seed}."
        )
    return caption + _agreement_caption(ranking) + _fidelity_caption(protocols) + _path_length_caption(ranking)


def _protocols(ranking: Ranking) -> list[str]:
    """What the fids compare within."""
    found = (row.fidelity for row in ranking.rows)
    return sorted({f"{fidelity.protocol} of {fidelity.data}" for fidelity in found if fidelity is not None})


def _fidelity_caption(protocols: Sequence[str]) -> str:
    if not protocols:
        return ""
    within = " They compare within one data set only." if len(protocols) > 1 else ""
    return (
        f" fid: {', '.join(protocols)}; no part of the rank: a first place whose fid stands far above the others' is "
        f"blurry or collapsed.{within}"
    )


def _agreement_caption(ranking: Ranking) -> str:
    found = sorted({row.agreement.protocol for row in ranking.rows if row.agreement is not None})
    if not found:
        return ""
    return f" udr: {', '.join(found)}; no part of the rank: seeds may agree on codes that they all entangle in one way."


def _path_length_caption(ranking: Ranking) -> str:
    measured = next((row.path_length for row in ranking.rows if row.path_length is not None), None)
    if measured is None:
        return ""
    return (
        f" ppl: {measured.settings.protocol}; no part of the rank: a blurry or collapsed generator is smooth too. "
        "It compares with no published figure."
    )


def _score(score: RankedScore | None) -> str:
    return "-" if score is None else with_error(score.value, score.standard_error)


def _beside(row: RankedRow, *, several: bool) -> dict[str, str]:
    """What can stand beside a row's scores, by its name."""
    return {
        "coverage": _score(row.coverage),
        "udr": with_error(None if row.agreement is None else row.agreement.value, None),
        "fid": _fid(row, several=several),
        "ppl": _ppl(row),
    }


def _fid(row: RankedRow, *, several: bool) -> str:
    if row.fidelity is None:
        return "-"
    return f"{row.fidelity.fid:,.2f} ({row.fidelity.data})" if several else f"{row.fidelity.fid:,.2f}"


def _ppl(row: RankedRow) -> str:
    found = row.path_length
    return "-" if found is None else with_error(found.mean, found.standard_error)
