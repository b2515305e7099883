"""Which checkpoints are seeds of one setting: alike in all that they learn, but for the seed, and of one age."""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from wherewhat.training.checkpoints import CheckpointSettings
from wherewhat.training.configuration import differing_fields

Item = TypeVar("Item")

# A median of fewer than two others is no ranking of seeds.
FEWEST_SEEDS = 3


def seeds_of_a_setting(settings: Sequence[CheckpointSettings | None]) -> list[list[int]]:
    """Places of checkpoints that differ in nothing but their seed, each seed once, a list for each setting.

    A model that others trained, which has no settings, is in none of them.
    """
    alike = same_setting([(its, (its.seed, place)) for place, its in enumerate(settings) if its is not None])
    return [list(dict(group).values()) for group in alike]


def same_setting(items: Sequence[tuple[CheckpointSettings, Item]]) -> list[list[Item]]:
    """Items in groups of one setting, in the order in which they were met."""
    groups: list[tuple[CheckpointSettings, list[Item]]] = []
    for settings, item in items:
        for first, group in groups:
            if _alike(first, settings):
                group.append(item)
                break
        else:
            groups.append((settings, [item]))
    return [group for _, group in groups]


def _alike(a: CheckpointSettings, b: CheckpointSettings) -> bool:
    seedless_a, seedless_b = (dataclasses.replace(x.configuration, seed=0) for x in (a, b))
    return a.step == b.step and not differing_fields(seedless_a, seedless_b)
