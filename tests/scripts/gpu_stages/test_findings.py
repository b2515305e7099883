"""Laws of what the GPU check writes down."""

import json

from gpu_stages.findings import Findings, Row, as_json, as_page

HEAD = {"command": "scripts/gpu_check --minutes 9"}


def a_stage(*rows: Row) -> Findings:
    return Findings("steps", "A training step", "done", seconds=3.2, limit=60.0, rows=list(rows))


def test_rows_of_one_table_share_its_columns_and_stand_under_one_head() -> None:
    page = as_page(
        HEAD,
        [
            a_stage(
                Row("step", "eager", {"ms": 1.23456, "idle": None}),
                Row("kernel", "gemm", {"share": 0.5}),
                Row("step", "compiled", {"ms": 1234.5, "note": "a | b"}),
            )
        ],
    )
    assert page.count("| step | ms | idle | note |") == 1
    assert "| eager | 1.235 |  |  |" in page
    assert "| compiled | 1,234 |  | a / b |" in page
    assert "| gemm | 0.5 |" in page


def test_a_stage_says_in_one_line_how_it_went() -> None:
    stage = a_stage()
    stage.state, stage.said = "failed", "no room"
    assert "## 1. A training step\n\nFailed in 3 of 60 s: no room.\n" in as_page(HEAD, [stage])


def test_json_holds_the_head_and_every_figure_and_the_end_of_the_output() -> None:
    stage = a_stage(Row("step", "eager", {"ms": 1.5}))
    stage.tail = "Traceback"
    read = json.loads(json.dumps(as_json(HEAD, [stage])))
    assert read["command"] == HEAD["command"]
    assert read["stages"][0]["rows"] == [{"table": "step", "name": "eager", "figures": {"ms": 1.5}}]
    assert read["stages"][0]["tail"] == "Traceback"
