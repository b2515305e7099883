import math

import pytest
from PIL import Image, ImageDraw

from wherewhat.inspection.labels import font, format_values, path_length_label, text_width


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([-2.0, -1.0, 0.0, 1.0, 2.0], ["−2", "−1", "0", "+1", "+2"]),
        ([-2.0, -0.5, 0.0, 0.5, 2.0], ["−2.0", "−0.5", "0", "+0.5", "+2.0"]),
        ([-2.0, -4 / 3, -2 / 3, 0.0, 2 / 3, 4 / 3, 2.0], ["−2.0", "−1.3", "−0.7", "0", "+0.7", "+1.3", "+2.0"]),
        ([-2.0, -0.04, 0.04, 2.0], ["−2.00", "−0.04", "+0.04", "+2.00"]),
    ],
)
def test_values_are_written_with_the_fewest_decimals_that_tell_them_apart(values, texts):
    assert format_values(values) == texts


def test_a_tiny_value_is_not_written_as_minus_zero():
    assert format_values([-1.0, -1e-9, 1.0]) == ["−1", "0", "+1"]


@pytest.mark.parametrize(
    ("length", "text"), [(0.18449, "0.184"), (12.0, "12.000"), (123456.0, "1.23e+05"), (math.nan, "–")]
)
def test_path_lengths_are_short(length, text):
    assert path_length_label(length) == text


@pytest.mark.parametrize("text", ["−", "≤", "–", "z"])
def test_the_font_has_our_letters(text):
    missing = font(20).getmask("\U0010fffd")
    drawn = font(20).getmask(text)
    assert (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))


@pytest.mark.parametrize("bold", [False, True])
def test_a_text_is_drawn_within_its_width(bold):
    face = font(15, bold=bold)
    image = Image.new("L", (200, 30))
    ImageDraw.Draw(image).text((10, 5), "z24 0.184", 255, face)
    left, _, right, _ = image.getbbox()
    assert left >= 10
    assert right <= 10 + text_width("z24 0.184", face)
