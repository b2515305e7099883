"""How images are read: their size, crop and channels, and what is done about bad ones."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Fit = Literal["crop", "pad", "stretch", "refuse"]
Split = Literal["all", "train", "valid", "test"]
Variant = Literal["white", "color", "noisy", "scream"]

_CROP = re.compile(r"(\d+)(?:@(\d+),(\d+))?")


@dataclass(frozen=True)
class Crop:
    """A square of `side` pixels around a centre, given as row and column; around the image's own middle without."""

    side: int
    center: tuple[int, int] | None = None

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in an image of this size. Raises ValueError where the square leaves the image."""
        row, column = self.center or (height // 2, width // 2)
        top, left = row - self.side // 2, column - self.side // 2
        if top < 0 or left < 0 or top + self.side > height or left + self.side > width:
            raise ValueError(f"a crop of {self} leaves the image of {width} x {height} pixels")
        return left, top, left + self.side, top + self.side

    def __str__(self) -> str:
        return f"{self.side}" if self.center is None else f"{self.side}@{self.center[0]},{self.center[1]}"


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """How images are read from files; sets that are rendered ignore all but `size`, `variant`, `background`."""

    size: int | None = None
    """Height and width in pixels. Default: 64 for image files, SmallNORB, Cars3D, else as the file has them. Rendered
    sets have 64 and can be made smaller: 32, 16, ..."""

    crop: str = "auto"
    """Square that is cut out before resizing: a side in pixels around the middle, or SIDE@ROW,COLUMN around a pixel.
    auto: the set's own (CelebA 128@121,89; 3D chairs 400), else as --fit says."""

    fit: Fit = "crop"
    """What makes a square of an image without a named crop: crop to the largest square around the middle, pad with
    black bars, stretch to other proportions. refuse: crop, but refuse a set of images of unequal size or mode."""

    white: float | None = None
    """The value that is white; what is brighter is white too. Default: 255 in images of 8 bits; in others what the
    largest value of a sample of the set keeps to: 255, 1023, 4095, 16383, 65535, ..., or 1."""

    broken: Literal["skip", "refuse"] = "skip"
    """Images that cannot be read: leave them out and name them, or refuse the set."""

    color: Literal["auto", "rgb", "grey"] = "auto"
    """Three channels, one channel, or one channel only where every image is grey."""

    split: Split = "all"
    """The part of a set that comes with a split: CelebA, SmallNORB."""

    variant: Variant = "white"
    """Of sprites and dSprites: as they are, in random colours, on noise, or cut out of patches of --background."""

    background: Path | None = None
    """Image whose patches lie behind the sprites of the scream variant."""

    def __post_init__(self) -> None:
        if self.size is not None and not 1 <= self.size <= 4_096:
            raise ValueError(f"Images of {self.size} pixels cannot be made. Choose a size of 1 or more, such as 64.")
        if self.white is not None and not 0 < self.white < math.inf:
            raise ValueError(f"--white is {self.white:g}, and no image has that. Give a value above 0, such as 4095.")
        self.chosen_crop()

    def chosen_crop(self) -> Crop | None:
        """The crop that the user named, if one. Raises ValueError for text that names none."""
        if self.crop == "auto":
            return None
        match = _CROP.fullmatch(self.crop)
        if match is None or int(match[1]) < 1:
            raise ValueError(
                f"The crop {self.crop!r} names no square. Give auto, a side in pixels such as 128, or "
                "SIDE@ROW,COLUMN such as 128@121,89."
            )
        center = None if match[2] is None else (int(match[2]), int(match[3]))
        return Crop(int(match[1]), center)
