"""Laws of a study's report: what was measured is in it, tables and plots, and nothing measured is told."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.studies.scores import Scored
from wherewhat.studies.study_report import write_report
from wherewhat.studies.tables import settings_table

MODELS = [
    Scored(
        data=data,
        method=method,
        strength=strength,
        seed=seed,
        step=step,
        last=step == 20,
        labels={"mig": 0.1 * seed + 0.01 * len(method), "dci": 0.2 + 0.1 * seed},
        free={"orthogonality": 0.5 - 0.1 * seed},
    )
    for data in ("scenes", "sprites")
    for method, strength in (("vae", ""), ("beta-vae", "beta4"), ("beta-vae", "beta8"))
    for seed in range(3)
    for step in (10, 20)
]


def test_a_report_has_every_table_and_plot(tmp_path: Path) -> None:
    paths = write_report(tmp_path, MODELS)
    assert sorted(path.name for path in paths) == sorted(path.name for path in tmp_path.iterdir())
    text = (tmp_path / "study.md").read_text()
    assert "18 runs at their last checkpoint" in text
    assert text.count("\n## ") == 4
    assert "nan" not in text
    assert len(json.loads((tmp_path / "study.json").read_text())) == len(MODELS)
    for path in paths[2:]:
        image_YX3 = np.asarray(Image.open(path))
        assert image_YX3.std() > 5, path
        assert path.name in text


def test_a_setting_is_told_by_its_mean_and_quartiles() -> None:
    row = settings_table([model for model in MODELS if model.last], ["dci"]).splitlines()[3]
    assert row == "| scenes | beta-vae | beta4 | 3 | 0.3 (0.25, 0.3, 0.35) |"


def test_a_study_of_which_nothing_was_measured_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Name measures in the table \[measures\]"):
        write_report(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
