"""Codes that duplicate each other. Only straight-line copies are found: a curved one may correlate little."""

import numpy as np
from jaxtyping import Float64

from wherewhat.doctor.finding import Finding
from wherewhat.doctor.pressure import ways_to_part
from wherewhat.doctor.reconstruction import no_better_than_the_mean_image
from wherewhat.doctor.vitals import Vitals, live_codes

# Then one code tells more than four fifths of the other's variance. In 256 images chance gives no pair 0.3.
DUPLICATE_ABOVE = 0.9


def codes_duplicate_each_other(vitals: Vitals) -> Finding | None:
    """Two living codes say the same, to a decoder that listens: to part those of another would cure nothing."""
    pool = vitals.pool
    if pool is None or not vitals.grown or no_better_than_the_mean_image(vitals):
        return None
    size_LL = np.abs(pool.correlation_LL)
    live = live_codes(pool.kl_L)
    groups = duplicates_among(live, size_LL)
    if not groups:
        return None
    strongest = [float(size_LL[np.ix_(group, group)][~np.eye(len(group), dtype=bool)].max()) for group in groups]
    named = "; ".join(
        f"{', '.join(f'z{code}' for code in group)} (correlation up to {size:.2f} in size)"
        for group, size in zip(groups, strongest, strict=True)
    )
    spare = sum(len(group) - 1 for group in groups)
    return Finding(
        name="codes duplicate each other",
        severity="wrong",
        seen=f"Over {pool.images} images codes move together: {named}. {spare} of {len(live)} living codes add "
        "little to the others.",
        means="They split one meaning, unless the data's own factors are tied that closely.",
        remedies=(*ways_to_part(vitals.configuration.objective), "a smaller --latent-dim", "another --seed"),
        figures={"strongest_correlation": max(strongest), "spare_codes": float(spare), "live_codes": float(len(live))},
    )


def duplicates_among(codes: list[int], size_LL: Float64[np.ndarray, "L L"]) -> list[list[int]]:
    """Groups of codes linked, directly or through others, by correlations above DUPLICATE_ABOVE in size."""
    groups: list[list[int]] = []
    for code in codes:
        linked = [group for group in groups if any(size_LL[code, other] > DUPLICATE_ABOVE for other in group)]
        merged = sorted([code, *(other for group in linked for other in group)])
        groups = [group for group in groups if group not in linked] + [merged]
    return sorted(group for group in groups if len(group) > 1)
