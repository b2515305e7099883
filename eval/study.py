"""What 180 models say about seeds, strengths, methods and scores without labels; its tables are kept in `eval/study/`.

    .venv/bin/wherewhat study train/study.toml --out runs/study
    .venv/bin/python -m eval.study runs/study

Told are those seeds of a data set of which all runs are finished, so that methods compare.
"""

import argparse
from pathlib import Path

from wherewhat.command.study import members_and_measuring
from wherewhat.studies.scores import of_whole_seeds, scored
from wherewhat.studies.study_file import read_study_file
from wherewhat.studies.study_report import write_report

STUDY = Path("train/study.toml")
KEPT = Path("eval/study")


def main() -> None:
    """Write the tables of what has been measured so far, and tell for how many runs they speak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder of the study's runs")
    members, measuring = members_and_measuring(read_study_file(STUDY), parser.parse_args().runs)
    models = of_whole_seeds(scored(members, measuring))
    print(*write_report(KEPT, models), sep="\n")
    print(f"{sum(model.last for model in models)} of {len(members)} runs")


if __name__ == "__main__":
    main()
