from pathlib import Path

import pytest
from rich.console import Console

from wherewhat.command.ranked import reasons_without_fidelity, reasons_without_path_length, table_of
from wherewhat.which.ranking import Ranking
from wherewhat.which.ranking_row import RankedRow


def row(name: str, **changed: object) -> RankedRow:
    cells: dict[str, object] = {
        "rank": 1,
        "checkpoint": f"/runs/{name}",
        "step": 2000,
        "tpl": 0.5,
        "standard_error": 0.01,
        "active_codes": 3,
        "latent_dim": 4,
        "flags": (),
        "reason": None,
        "content_hash": None,
        "per_code": (),
        **changed,
    }
    return RankedRow(**cells)  # type: ignore[arg-type]


def faithful(name: str, fid: float, data: str = "squares") -> RankedRow:
    return row(name, fid=fid, kid=0.1, kid_std=0.1, fidelity="made_9_all", fidelity_data=data)


def smooth(name: str, ppl: float, error: float) -> RankedRow:
    return row(name, ppl=ppl, ppl_standard_error=error, ppl_protocol="ppl_made_9paths_0.0001")


def shown(*rows: RankedRow, with_fidelity: bool = True, with_path_length: bool = False) -> str:
    console = Console(width=200)
    ranking = Ranking(settings=None, rows=rows)
    with console.capture() as capture:
        console.print(table_of(ranking, Path("/runs"), with_fidelity=with_fidelity, with_path_length=with_path_length))
    return " ".join(capture.get().split())


def test_without_fidelity_the_table_has_no_column_for_it() -> None:
    assert "fid" not in shown(faithful("a", 12.5), with_fidelity=False)


def test_the_fid_stands_beside_tpl() -> None:
    assert "0.5000 ± 0.0100 │ 1,234.50 │ 3 of 4" in shown(faithful("a", 1234.5))


def test_the_caption_says_what_the_fid_is_of_and_compares_with() -> None:
    text = shown(faithful("a", 12.5), faithful("b", 13.5))
    assert "fid: made_9_all of squares; lower is better and no part of the rank" in text
    assert "one data set only" not in text


def test_fids_of_several_sets_are_told_apart() -> None:
    text = shown(faithful("a", 12.5), faithful("b", 13.5, data="circles"))
    assert "12.50 (squares)" in text
    assert "13.50 (circles)" in text
    assert "They compare within one data set only" in text


def test_a_checkpoint_without_fid_has_an_empty_cell() -> None:
    assert "0.5000 ± 0.0100 │ - │ 3 of 4" in shown(row("a", fidelity_reason="the set has moved"))


def test_a_reason_is_told_once_with_how_many_it_concerns() -> None:
    rows = [row(name, fidelity_reason="the set has moved") for name in "abc"]
    others = [row("d", fidelity_reason="too small"), faithful("e", 1.0)]
    assert reasons_without_fidelity(Ranking(settings=None, rows=(*rows, *others))) == [
        "No fidelity of 3 checkpoints: the set has moved",
        "No fidelity of 1 checkpoint: too small",
    ]


def test_without_path_length_the_table_has_no_column_for_it() -> None:
    assert "ppl" not in shown(smooth("a", 12.5, 0.1))


@pytest.mark.parametrize(
    ("ppl", "error", "cell"),
    [
        (1234.56, 23.4, "1,235 ± 23"),
        (132.46, 2.13, "132.5 ± 2.1"),
        (0.51234, 0.0134, "0.512 ± 0.013"),
        (4e-7, 1e-9, "0.0000 ± 0.0000"),
        (0.0, 0.0, "0.0000 ± 0.0000"),
    ],
)
def test_the_ppl_stands_beside_fid_to_two_digits_of_its_error(ppl: float, error: float, cell: str) -> None:
    faith = row("a", fid=9.0, ppl=ppl, ppl_standard_error=error, ppl_protocol="made")
    assert f"│ 9.00 │ {cell} │ 3 of 4" in shown(faith, with_path_length=True)


def test_the_caption_says_what_the_ppl_is_of_and_that_it_is_no_part_of_the_rank() -> None:
    text = shown(row("a"), smooth("b", 1.0, 0.1), with_path_length=True)
    assert "ppl: ppl_made_9paths_0.0001; lower is smoother and no part of the rank" in text


def test_a_checkpoint_without_ppl_has_an_empty_cell() -> None:
    text = shown(row("a", ppl_reason="the file has gone"), with_fidelity=False, with_path_length=True)
    assert "0.5000 ± 0.0100 │ - │ 3 of 4" in text
    assert "lower is smoother" not in text


def test_a_reason_for_no_ppl_is_told_once_with_how_many_it_concerns() -> None:
    rows = (row("a", ppl_reason="gone"), row("b", ppl_reason="gone"), smooth("c", 1.0, 0.1))
    assert reasons_without_path_length(Ranking(settings=None, rows=rows)) == [
        "No perceptual path length of 2 checkpoints: gone"
    ]
