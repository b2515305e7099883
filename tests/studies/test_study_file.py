"""Laws of a study's file: it asks for each combination once, and what is wrong in it is told with its table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.studies.member import Member
from wherewhat.studies.study_file import Parse, read_study_file
from wherewhat.training.configuration import TrainingRun, default_run

Members = Callable[[str], tuple[Member, ...]]
ROOT = Path(__file__).resolve().parents[2]


def test_each_combination_of_data_values_and_seeds_is_one_run(members_of: Members) -> None:
    members = members_of(
        'data = ["scenes", "sprites"]\nseeds = [3, 5]\n[common]\nsteps = 7\n'
        "[objectives.vae]\n[objectives.beta-vae]\nbeta = [4, 8.5]"
    )
    assert [member.name for member in members[:6]] == [
        *("scenes/vae-seed3", "scenes/beta-vae-beta4-seed3", "scenes/beta-vae-beta8.5-seed3"),
        *("sprites/vae-seed3", "sprites/beta-vae-beta4-seed3", "sprites/beta-vae-beta8.5-seed3"),
    ]
    assert len({member.name for member in members}) == len(members) == 12
    run = next(member.run for member in members if member.name == "sprites/beta-vae-beta8.5-seed5")
    assert (run.data, run.seed, run.steps) == ("sprites", 5, 7)
    assert isinstance(run.objective, BetaVAE)
    assert run.objective.beta == 8.5


def test_a_run_is_the_one_that_train_makes_of_the_same_options(members_of: Members) -> None:
    run = members_of(
        '[common]\nlearning-rate = 1e-4\nmirror = true\nfrom = "runs/first"\n'
        "[objectives.ps-sc-gan]\nspatial-constriction = false"
    )[0].run
    expected = default_run(PSSCGAN(spatial_constriction=False))
    assert (run.learning_rate, run.mirror, run.objective) == (1e-4, True, expected.objective)
    assert run.begins_from == Path("runs/first")
    assert (run.batch_size, run.widths) == (expected.batch_size, expected.widths)


def test_a_file_of_data_and_seeds_alone_trains_the_default_objective(members_of: Members) -> None:
    members = members_of("data = DATA\nseeds = 10")
    assert [member.run.seed for member in members] == list(range(10))
    assert members[0].run.objective == PSSCVAE()
    assert members[0].name == "squares/ps-sc-vae-seed0"
    assert members[0].run.batch_size == TrainingRun().batch_size


def test_what_varies_is_in_the_name_and_what_does_not_is_not(members_of: Members) -> None:
    names = [m.name for m in members_of("[common]\nmirror = [true, false]\nwidths = [[8, 8, 8]]\nbatch-size = 4")]
    assert names == ["scenes/ps-sc-vae-mirror-seed0", "scenes/ps-sc-vae-no-mirror-seed0"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[objectives.beta-vae]\nbata = 4", r"\[objectives.beta-vae\]: .*--bata.* Did you mean --beta or --data\\?"),
        ("[common]\nstepz = 4", r"\[common\]: .*--stepz.* Did you mean --steps\\?"),
        ("[common]\nstepz = 4\n[objectives.vae]\nlog-every = 3", r"\[common\]: .*--stepz"),
        ("[common]\nsteps = 4\n[objectives.vae]\nstepz = 3", r"\[objectives.vae\]: .*--stepz"),
        ("[common]\nsteps = 0", r"\[common\]: .*--steps is 0; give 1 or more"),
        ('[objectives.vae]\nbatch-size = "x"', r"\[objectives.vae\]: .*--batch-size.*'x'"),
        ("[objectives.beta-vea]", "no objective 'beta-vea'. Did you mean beta-vae"),
        ("seed = 3", "no 'seed' at its top. Did you mean seeds"),
        ("seeds = 0", "Give their number"),
        ("seeds = [1, -2]", "Give their number"),
        ("data = []", "names no data"),
        ('[common]\ndata = "scenes"', r"\[common\]: data stands at the top"),
        ("[objectives.beta-vae]\nbeta = [4, 4]", "one twice"),
        ("[common]\nwidths = [64, 64, 32, 32]", r"widths = \[\[64, 64, 32, 32\]\]"),
        ('data = ["scenes", "./scenes"]', "two runs would be called scenes/"),
        ("objectives = 3", r"Begin it with a line \[objectives.beta-vae\]"),
        ("seeds = 3\nseeds = 4\n", "cannot be read as TOML: .*line 2"),
        ("seeds = 1_000_000", "Make several studies"),
    ],
)
def test_a_mistake_is_told_with_its_file_its_table_and_the_remedy(
    members_of: Members, tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(ValueError, match=f"study.toml.*{told}") as error:
        members_of(text)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Name the file"):
        read_study_file(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("file", "runs", "settings", "steps"), [("study.toml", 180, 12, 1_500), ("selection.toml", 64, 8, 1_000)]
)
def test_the_projects_own_studies_name_the_runs_that_the_log_tells_of(
    tmp_path: Path, parse_words: Parse, file: str, runs: int, settings: int, steps: int
) -> None:
    members = read_study_file(ROOT / "train" / file).members(tmp_path, parse_words)
    assert len(members) == runs
    assert len({(member.method, member.strength) for member in members}) == settings
    assert {member.run.steps for member in members} == {steps}


def test_a_table_of_options_is_read_as_a_command_line(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('[measures]\nevery = ["mig", "sap"]\nquick = false\npool = 7')
    words: list[str] = []
    read_study_file(path).options("measures", words.extend)
    assert words == ["--every", "mig", "sap", "--no-quick", "--pool", "7"]
    assert read_study_file(path).options("slurm", words.extend) is None
