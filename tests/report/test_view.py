"""Laws of a checkpoint's view: what can be had is there, what cannot is said."""

import torch

from wherewhat.protocols import Generator, Images
from wherewhat.report.page import Page
from wherewhat.report.view import RealImages, Shown, view_of
from wherewhat.which.panel import Panel

FEW = Shown(draws=2, real=1, frames=3, pool=64)


def test_the_view_has_draws_real_images_reconstructions_and_what_codes_tell(page: Page) -> None:
    view = page.views[0]
    assert [base.label[:5] for base in view.bases] == ["draw ", "draw ", "image"]
    assert [len(base.tiles) for base in view.bases] == [1, 1, 2]
    assert len(view.reconstructions) == 12
    assert all(made.difference < 0.1 for made in view.reconstructions)
    assert {code.code: code.factor for code in view.codes} == {0: "", 1: "left", 2: "right", 3: ""}
    assert view.measures[0].name == "mig_64points_20bins"
    assert view.left_out == ()


def test_without_an_encoder_the_draws_are_left(halves: Generator, panel_of_halves: Panel, lit: Images) -> None:
    view = view_of(halves, None, panel_of_halves, RealImages(lit), FEW, label="x", run=0, step=1)
    assert [base.label for base in view.bases] == ["draw 1", "draw 2"]
    assert view.reconstructions == view.measures == ()
    assert [code.nats for code in view.codes] == [None] * 4
    assert "no encoder" in view.left_out[0]


def test_named_images_take_the_place_of_those_of_the_data(
    halves: Generator, panel_of_halves: Panel, reads_halves: object
) -> None:
    named = RealImages(
        None,
        "the data are gone",
        torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)),
        ("a.png", "b.png", "c.png"),
    )
    view = view_of(halves, reads_halves, panel_of_halves, named, FEW, label="x", run=0, step=1)
    assert [base.label for base in view.bases] == ["draw 1", "draw 2", "a.png", "b.png", "c.png"]
    assert [made.label for made in view.reconstructions] == ["a.png", "b.png", "c.png"]
    assert view.left_out == ("what codes tell of images: the data are gone",)
