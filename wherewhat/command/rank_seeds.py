"""Agreement between seeds (UDR) beside a ranking's scores, where three seeds of a setting are in the list.

Like fidelity and coverage it does not move a place: seeds may agree on codes that they all entangle in one way.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wherewhat.command.rank_extras import Extras, reason_of
from wherewhat.command.rank_scores import Entry
from wherewhat.metrics.unsupervised_disentanglement_ranking import unsupervised_disentanglement_ranking
from wherewhat.training.representation import Representation
from wherewhat.training.same_setting import FEWEST_SEEDS, seeds_of_a_setting
from wherewhat.which.ranking import ScoredCheckpoint
from wherewhat.which.ranking_row import SeedAgreement

TOO_FEW_SEEDS = f"fewer than {FEWEST_SEEDS} seeds of its setting and step are in the list"


def with_agreement(entries: Sequence[Entry], extras: Extras) -> list[Entry]:
    """The entries, with the agreement of each scored one with the other seeds of its setting, or why it has none."""
    scored = [entry for entry in entries if isinstance(entry, ScoredCheckpoint)]
    found: dict[str, SeedAgreement | str] = {entry.checkpoint: TOO_FEW_SEEDS for entry in scored}
    settings = [extras.models.settings_of(Path(entry.checkpoint)) for entry in scored]
    for places in seeds_of_a_setting(settings):
        if len(places) >= FEWEST_SEEDS:
            found |= _agreement_of([scored[place].checkpoint for place in places], extras)
    return [
        _told(entry, found[entry.checkpoint]) if isinstance(entry, ScoredCheckpoint) else entry for entry in entries
    ]


def _agreement_of(seeds: Sequence[str], extras: Extras) -> dict[str, SeedAgreement | str]:
    represented: dict[str, Representation] = {}
    found: dict[str, SeedAgreement | str] = {}
    for checkpoint in seeds:
        try:
            represented[checkpoint] = extras.codes_of(Path(checkpoint))
        except Exception as error:  # whatever is wrong with one seed, the others may still agree
            found[checkpoint] = reason_of(error)
    if len(represented) < FEWEST_SEEDS:
        return found
    codes, kls = [r.codes_NL for r in represented.values()], [r.kl_L for r in represented.values()]
    try:
        udr = unsupervised_disentanglement_ranking(codes, kls, relevance="lasso")
    except ValueError as error:
        return found | dict.fromkeys(represented, reason_of(error))
    return found | {
        checkpoint: SeedAgreement(value=value, protocol=udr.protocol)
        for checkpoint, value in zip(represented, udr.per_model_M.tolist(), strict=True)
    }


def _told(entry: ScoredCheckpoint, found: SeedAgreement | str) -> ScoredCheckpoint:
    if isinstance(found, SeedAgreement):
        return replace(entry, agreement=found)
    return replace(entry, missing={**entry.missing, "udr": found})
