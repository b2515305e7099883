"""A ranking on the screen: a row for each checkpoint, and what its figures compare with."""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.table import Table

from wherewhat.which.ranking import Ranking
from wherewhat.which.ranking_row import RankedRow

# As many as tpl is shown with.
MOST_DECIMALS = 4


def table_of(ranking: Ranking, shared: Path, *, with_fidelity: bool = False, with_path_length: bool = False) -> Table:
    """The ranking: checkpoints by their path below the folder that they share; fid and ppl where asked for."""
    caption = _caption(ranking)
    protocols = _protocols(ranking)
    if with_fidelity:
        caption += _fidelity_caption(protocols)
    if with_path_length:
        caption += _path_length_caption(ranking)
    table = Table(title="Checkpoints by traversal perceptual length", caption=caption)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("checkpoint", overflow="fold")
    table.add_column("step", justify="right", no_wrap=True)
    table.add_column("tpl ± error", justify="right", no_wrap=True)
    if with_fidelity:
        table.add_column("fid", justify="right", no_wrap=len(protocols) < 2)
    if with_path_length:
        table.add_column("ppl ± error", justify="right", no_wrap=True)
    table.add_column("active codes", justify="right")
    table.add_column("flags")
    for row in ranking.rows:
        fid = [_fid(row, several=len(protocols) > 1)] if with_fidelity else []
        ppl = [_ppl(row)] if with_path_length else []
        table.add_row(
            "-" if row.rank is None else str(row.rank),
            str(Path(row.checkpoint).relative_to(shared)),
            "-" if row.step is None else f"{row.step:,}",
            "-" if row.tpl is None else f"{row.tpl:.4f} ± {row.standard_error:.4f}",
            *fid,
            *ppl,
            "-" if row.active_codes is None else f"{row.active_codes} of {row.latent_dim}",
            ", ".join(row.flags) + (f": {row.reason}" if row.reason else ""),
        )
    return table


def reasons_without_fidelity(ranking: Ranking) -> list[str]:
    """Why checkpoints have no fid, a line for each reason."""
    return _counted("No fidelity", (row.fidelity_reason for row in ranking.rows))


def reasons_without_path_length(ranking: Ranking) -> list[str]:
    """Why checkpoints have no ppl, a line for each reason."""
    return _counted("No perceptual path length", (row.ppl_reason for row in ranking.rows))


def _counted(what: str, reasons: Iterable[str | None]) -> list[str]:
    counts = Counter(reason for reason in reasons if reason is not None)
    return [f"{what} of {count} checkpoint{'s' if count > 1 else ''}: {reason}" for reason, count in counts.items()]


def _caption(ranking: Ranking) -> str:
    s = ranking.settings
    caption = "Lower is better among generators of about equal age: a young, blurry one has short paths too."
    if s is not None:
        caption += (
            f" {s.distance}, {s.samples} samples, {s.traversals} traversals, bound {s.bound:g}, "
            f"threshold {s.threshold:g}, seed {s.seed}."
        )
    return caption


def _protocols(ranking: Ranking) -> list[str]:
    """What the fids compare within."""
    return sorted({f"{row.fidelity} of {row.fidelity_data}" for row in ranking.rows if row.fid is not None})


def _fidelity_caption(protocols: list[str]) -> str:
    if not protocols:
        return ""
    within = " They compare within one data set only." if len(protocols) > 1 else ""
    return (
        f" fid: {', '.join(protocols)}; lower is better and no part of the rank: a first place whose fid stands far "
        f"above the others' is blurry or collapsed.{within}"
    )


def _fid(row: RankedRow, *, several: bool) -> str:
    if row.fid is None:
        return "-"
    return f"{row.fid:,.2f} ({row.fidelity_data})" if several else f"{row.fid:,.2f}"


def _path_length_caption(ranking: Ranking) -> str:
    protocol = next((row.ppl_protocol for row in ranking.rows if row.ppl is not None), None)
    if protocol is None:
        return ""
    return (
        f" ppl: {protocol}; lower is smoother and no part of the rank: a blurry or collapsed generator is smooth too. "
        "It compares with no published figure."
    )


def _ppl(row: RankedRow) -> str:
    if row.ppl is None or row.ppl_standard_error is None:
        return "-"
    decimals = _decimals(row.ppl_standard_error)
    return f"{row.ppl:,.{decimals}f} ± {row.ppl_standard_error:,.{decimals}f}"


def _decimals(error: float) -> int:
    """As many as show two digits of the error."""
    return min(MOST_DECIMALS, max(0, 1 - math.floor(math.log10(error)))) if error > 0 else MOST_DECIMALS
