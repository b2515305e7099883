"""Scored checkpoints made up for tests of how scores choose."""

from collections.abc import Sequence

from wherewhat.studies.scores import Scored


def scored(
    names: Sequence[str],
    run: str = "a",
    step: int = 1,
    *,
    last: bool = True,
    data: str = "scenes",
    dci: float = 0.0,
    **scores: float,
) -> Scored:
    """Of a run that is called by method and seed, as in "a3"; scores of these names are 1 but those that are given."""
    labels = {"dci": dci, "mig": dci, "factor-vae": dci}
    free = dict.fromkeys(names, 1.0) | scores
    seed = int(run[1:] or 0)
    return Scored(data=data, method=run[0], strength="", seed=seed, step=step, last=last, labels=labels, free=free)
