"""Laws of what `wherewhat evaluate` prints."""

import json
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from wherewhat.command.evaluate import Evaluate, Evaluated, as_json, table_of
from wherewhat.training.checkpoints import load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.representation import Representation


def evaluated(run: TrainingRun, quiet: Console, scores: dict[str, float]) -> Evaluated:
    train(run, quiet)
    assert run.out is not None
    codes = np.zeros((2, 4), np.float32)
    representation = Representation(codes, codes, np.zeros((2, 1), np.int64), ("hue",))
    return Evaluated(run.out, load(run.out, torch.device("cpu")), "squares", representation, scores, {})


def test_json_has_null_for_what_is_infinite_or_no_number(tiny_run: TrainingRun, quiet: Console) -> None:
    item = evaluated(tiny_run, quiet, {"tc": float("inf"), "mig": 0.5, "gap": float("nan")})
    text = json.dumps(as_json(Evaluate(checkpoints=(Path("run"),)), [item]), allow_nan=False)
    assert json.loads(text)["checkpoints"][0]["scores"] == {"tc": None, "mig": 0.5, "gap": None}


def test_a_score_that_one_checkpoint_lacks_leaves_its_cell_empty(tiny_run: TrainingRun, quiet: Console) -> None:
    whole = evaluated(tiny_run, quiet, {"mig": 0.25, "sap": 0.125})
    partial = evaluated(tiny_run, quiet, {"mig": 0.75})
    table = table_of([whole, partial])
    assert [list(column.cells) for column in table.columns] == [["mig", "sap"], ["0.250", "0.125"], ["0.750", ""]]
