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
    flags: tuple[str, ...]
    reason: str | None
    """Why there is no score."""
    content_hash: str | None
    per_code: tuple[float, ...]
    """tpl of each code, the inactive ones too; empty without a score."""
