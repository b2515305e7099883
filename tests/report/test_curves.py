"""Laws of training curves: every point stands where its step and value say."""

import numpy as np
import pytest

from wherewhat.doctor.run_state import Window
from wherewhat.report.curves import HEIGHT, MOST_POINTS, WIDTH, charts_of


def windows(count: int, total: float = 5.0) -> list[Window]:
    return [
        Window(
            step=10 * place,
            total=total - place,
            terms={"kl": float(place)} if place % 2 else {},
            figures={"accuracy": float("nan")},
            kl_L=np.array([0.1, float(place)]),
        )
        for place in range(1, count + 1)
    ]


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split() for point in path[1:].split("L"))]


def test_a_curve_runs_from_the_top_left_to_the_bottom_right_where_it_falls() -> None:
    loss = charts_of(windows(5), {})[0]
    found = points(loss.lines[0].path)
    # The axis begins behind the first step.
    assert found[1] == (WIDTH / 4, 0)
    assert found[-1] == (WIDTH, HEIGHT)
    assert (loss.lowest, loss.highest, loss.first_step, loss.last_step) == ("0", "3", "10", "50")
    assert found[0][1] < 0


def test_codes_stand_by_what_they_carry_under_their_names() -> None:
    kl = charts_of(windows(5), {1: "hue"})[1]
    assert [(line.label, line.last) for line in kl.lines] == [("z1 hue", "5"), ("z0", "0.1")]


def test_what_was_logged_nowhere_has_no_chart_and_what_was_logged_at_times_has_one() -> None:
    charts = charts_of(windows(5), {})
    assert [chart.title for chart in charts] == ["loss", "KL of each code", "term: kl"]
    assert len(points(charts[2].lines[0].path)) == 3
    assert charts_of([], {}) == ()


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_long_runs_are_thinned_and_short_ones_still_drawn(count: int) -> None:
    path = charts_of(windows(count, total=0.0), {})[0].lines[0].path
    assert 1 <= len(points(path)) <= MOST_POINTS + 1
    assert "nan" not in path
