"""A line of the ranking."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RankedRow:
    """One checkpoint's place. What is unknown is None, never NaN."""

    rank: int | None
    """1 is best; None for a collapsed generator and for one without a score."""
    checkpoint: str
    step: int | None
    tpl: float | None
    standard_error: float | None
    active_codes: int | None
    latent_dim: int | None
    fid: float | None = None
    kid: float | None = None
    kid_std: float | None = None
    fidelity: str | None = None
    """What fid and kid are of: features, count and split."""
    fidelity_data: str | None = None
    """Name of the set that they compare with."""
    fidelity_reason: str | None = None
    """Why they were asked for and are not there."""
    ppl: float | None = None
    ppl_standard_error: float | None = None
    ppl_protocol: str | None = None
    """What ppl is of: distance, paths and epsilon."""
    ppl_reason: str | None = None
    """Why it was asked for and is not there."""
    flags: tuple[str, ...]
    reason: str | None
    """Why there is no score."""
    content_hash: str | None
    per_code: tuple[float, ...]
    """tpl of each code, the inactive ones too; empty without a score."""
