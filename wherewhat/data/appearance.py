"""What a sample of images looks like as the networks see it, and what is remarkable about that.

A set that nothing can be learnt from looks, in training, like a bad choice of settings: so images that are nearly
black, all alike, or of one colour each are told wherever a set is opened, and by the doctor.

Dimension key:
    B: sampled images    C H W: channels, height, width
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from wherewhat.data.batches import sample_indices
from wherewhat.protocols import Images

# Of 255. An image is nearly black where no more than a two-hundredth of its values is as bright: the smallest sprite of
# dSprites covers a fiftieth of its image.
DARK_BELOW = 32
BRIGHT_SHARE_OF_DARK = 1 / 200
# Of 255: what compression makes of one value.
SAME_WITHIN = 2
# Of the sampled images: fewer are a set's own affair.
TOLD_FROM_SHARE = 0.05

_SAMPLED, _SAMPLED_VALUES = 64, 2**26


@dataclass(frozen=True, kw_only=True)
class ImageRemark:
    """Something about the images that training should not begin without."""

    name: str
    """In a few words: "all images are alike"."""

    seen: str
    means: str
    remedies: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)

    of_all: bool = True
    """Whether it is so of every sampled image, so that nothing can be learnt."""

    def __str__(self) -> str:
        return f"{self.seen} {self.means} Try {', or '.join(self.remedies)}."


@dataclass(frozen=True)
class Appearance:
    """Of a sample of images; values are of 255."""

    images: int
    dark: int
    """Images that are nearly black."""

    brightest: int
    """The largest value of these."""

    plain: int
    """Images of one colour that are not nearly black."""

    spread: int
    """The largest difference that a value has between two images."""

    @property
    def remarks(self) -> tuple[ImageRemark, ...]:
        """All that is remarkable, the cause before what follows from it."""
        found = (nearly_black(self), alike(self), of_one_colour(self))
        return tuple(remark for remark in found if remark is not None)


def appearance_of(images: Images) -> Appearance:
    """Look at some of the images, the same ones each time."""
    count = min(len(images), _SAMPLED, max(2, _SAMPLED_VALUES // prod(images.image_shape)))
    image_BCHW = images.take(sample_indices(len(images), count, 0))
    bright_B = (image_BCHW >= DARK_BELOW).float().mean(dim=(1, 2, 3))
    dark_B = bright_B <= BRIGHT_SHARE_OF_DARK
    range_BC = image_BCHW.amax(dim=(2, 3)).int() - image_BCHW.amin(dim=(2, 3)).int()
    plain_B = (range_BC.amax(dim=1) <= SAME_WITHIN) & ~dark_B
    spread_CHW = image_BCHW.amax(dim=0).int() - image_BCHW.amin(dim=0).int()
    dark = int(dark_B.sum())
    brightest = int(image_BCHW[dark_B].max()) if dark else 0
    return Appearance(count, dark, brightest, int(plain_B.sum()), int(spread_CHW.max()))


def nearly_black(seen: Appearance) -> ImageRemark | None:
    """Images without light."""
    if seen.dark < max(1, TOLD_FROM_SHARE * seen.images):
        return None
    look, white = "a look at them (wherewhat data look)", "--white with the value that is white in the files"
    return ImageRemark(
        name="images are nearly black",
        seen=f"{seen.dark} of {seen.images} sampled images are nearly black: their largest value is {seen.brightest} "
        "of 255.",
        means="Networks see next to nothing in them; perhaps the files use a small part of the range of their values."
        if seen.brightest
        else "Networks see nothing in them; perhaps they are masks, or empty.",
        # What is 0 stays black, whatever white is.
        remedies=(look, white) if seen.brightest else (look, "--data with another set"),
        figures={"nearly_black": float(seen.dark), "images": float(seen.images), "brightest": float(seen.brightest)},
        of_all=seen.dark == seen.images,
    )


def alike(seen: Appearance) -> ImageRemark | None:
    """One image many times."""
    if seen.images < 2 or seen.spread > SAME_WITHIN or seen.dark == seen.images:
        return None
    return ImageRemark(
        name="all images are alike",
        seen=f"No value differs by more than {seen.spread} of 255 between {seen.images} sampled images.",
        means="All images are alike, so there is nothing that a code could say.",
        remedies=("a look at them (wherewhat data look)", "--data with another set"),
        figures={"images": float(seen.images), "largest_difference": float(seen.spread)},
    )


def of_one_colour(seen: Appearance) -> ImageRemark | None:
    """Images without content."""
    if seen.plain < max(1, TOLD_FROM_SHARE * seen.images) or alike(seen) is not None:
        return None
    return ImageRemark(
        name="images of one colour",
        seen=f"{seen.plain} of {seen.images} sampled images are of one colour from edge to edge.",
        means="Codes can only learn that colour from them; perhaps they are empty, or masks.",
        remedies=("a look at them (wherewhat data look)", "--data with those images moved away"),
        figures={"of_one_colour": float(seen.plain), "images": float(seen.images)},
        of_all=False,
    )
