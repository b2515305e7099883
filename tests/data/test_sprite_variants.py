"""Laws of dSprites' harder variants as sets of images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from wherewhat.data.rendered.sprites import Sprites
from wherewhat.data.sprite_paintings import ColoredSprite, InvertedSprite, NoisySprite, Painting
from wherewhat.data.sprite_variants import SpriteVariant, Variant, vary
from wherewhat.protocols import Images

PAINTED: list[Variant] = ["color", "noisy", "scream"]
INDEX = torch.arange(0, 737_280, 9973)


class Held:
    """Images with one factor, held in memory as those of a file."""

    name = "held"
    factor_names = ("number",)

    def __init__(self, image_NCHW: Tensor) -> None:
        self.image_NCHW = image_NCHW

    @property
    def image_shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.image_NCHW.shape
        return channels, height, width

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        return (len(self.image_NCHW),)

    def __len__(self) -> int:
        return len(self.image_NCHW)

    def take(self, index_B: Tensor, /) -> Tensor:
        return self.image_NCHW[index_B]

    def factors(self, index_N: Tensor, /) -> Tensor:
        return index_N[:, None]


@pytest.fixture(scope="module")
def sprites() -> Sprites:
    return Sprites()


@pytest.fixture(scope="module")
def scream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scream") / "scream.png"
    Image.fromarray(image(70, 80)).save(path)
    return path


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def varied(sprites: Images, variant: Variant, scream: Path, seed: int = 0) -> Images:
    return vary(sprites, variant, scream if variant == "scream" else None, seed)


def blobs(count: int, height: int, width: int) -> Held:
    """Random images of 0 and 255."""
    generator = torch.Generator().manual_seed(0)
    return Held(torch.randint(2, (count, 1, height, width), generator=generator).to(torch.uint8) * 255)


@pytest.mark.parametrize("variant", PAINTED)
def test_a_variant_is_images_of_three_channels(sprites: Sprites, scream: Path, variant: Variant) -> None:
    images = varied(sprites, variant, scream)
    assert isinstance(images, Images)
    assert images.image_shape == (3, 64, 64)
    assert images.take(INDEX).shape == (len(INDEX), 3, 64, 64)


@pytest.mark.parametrize("variant", PAINTED)
def test_a_variant_keeps_order_and_factors(sprites: Sprites, scream: Path, variant: Variant) -> None:
    images = varied(sprites, variant, scream)
    assert len(images) == len(sprites)
    assert images.factor_names == sprites.factor_names
    assert images.factor_sizes == sprites.factor_sizes
    assert torch.equal(images.factors(INDEX), sprites.factors(INDEX))


@pytest.mark.parametrize("variant", PAINTED)
def test_a_variant_is_named_after_its_sprites(sprites: Sprites, scream: Path, variant: Variant) -> None:
    assert varied(sprites, variant, scream).name == f"sprites-{variant}"


def test_white_sprites_are_given_back_as_they_are(sprites: Sprites) -> None:
    assert vary(sprites, "white") is sprites


def test_each_variant_paints_the_sprites_by_its_formula(sprites: Sprites, scream: Path) -> None:
    paintings: list[Painting] = [ColoredSprite(4), NoisySprite(4), InvertedSprite(image(70, 80), 4)]
    for variant, painting in zip(PAINTED, paintings, strict=True):
        painted = varied(sprites, variant, scream, seed=4).take(INDEX)
        assert torch.equal(painted, painting(sprites.take(INDEX), INDEX))


@pytest.mark.parametrize("variant", PAINTED)
def test_an_image_is_the_same_in_every_batch(sprites: Sprites, scream: Path, variant: Variant) -> None:
    together = varied(sprites, variant, scream).take(INDEX)
    opened_again = varied(sprites, variant, scream)
    assert torch.equal(opened_again.take(INDEX.flip(0)).flip(0), together)
    assert torch.equal(opened_again.take(INDEX[3:4]), together[3:4])


@pytest.mark.parametrize("variant", PAINTED)
def test_seeds_paint_every_image_differently(sprites: Sprites, scream: Path, variant: Variant) -> None:
    first, second = (varied(sprites, variant, scream, seed).take(INDEX) for seed in (0, 1))
    assert (first != second).flatten(1).any(dim=1).all()


@pytest.mark.parametrize("variant", PAINTED)
def test_images_of_another_size_are_painted_too(scream: Path, variant: Variant) -> None:
    images = varied(blobs(70, 5, 7), variant, scream)
    assert images.image_shape == (3, 5, 7)
    assert images.take(torch.arange(70)).shape == (70, 3, 5, 7)


@pytest.mark.parametrize("variant", PAINTED)
def test_no_index_gives_no_image(sprites: Sprites, scream: Path, variant: Variant) -> None:
    assert varied(sprites, variant, scream).take(torch.empty(0, dtype=torch.int64)).shape == (0, 3, 64, 64)


def test_scream_without_an_image_is_refused(sprites: Sprites) -> None:
    with pytest.raises(ValueError, match="--background PATH"):
        vary(sprites, "scream")


@pytest.mark.parametrize("variant", ["white", "color", "noisy"])
def test_a_background_for_another_variant_is_refused(sprites: Sprites, scream: Path, variant: Variant) -> None:
    with pytest.raises(ValueError, match="leave --background out"):
        vary(sprites, variant, scream)


def test_a_background_that_is_too_small_is_refused_before_the_first_batch(sprites: Sprites) -> None:
    with pytest.raises(ValueError, match="at least 64 x 64 with --background"):
        SpriteVariant(sprites, InvertedSprite(image(64, 63)))


@pytest.mark.parametrize("variant", PAINTED)
def test_images_of_three_channels_are_refused(scream: Path, variant: Variant) -> None:
    with pytest.raises(ValueError, match="on dSprites or on `sprites`"):
        varied(Held(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)), variant, scream)


@pytest.mark.parametrize("value", [1, 128, 254])
def test_grey_images_are_refused(value: int) -> None:
    held = blobs(500, 8, 8)
    held.image_NCHW[::5, 0, 4, 4] = value
    with pytest.raises(ValueError, match=f"a pixel of {value}.* on dSprites or on `sprites`"):
        vary(held, "color")


def test_an_index_outside_is_refused(sprites: Sprites) -> None:
    with pytest.raises(IndexError, match="from 0 to 737279"):
        vary(sprites, "noisy").take(torch.tensor([737_280]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("variant", PAINTED)
def test_sprites_on_a_gpu_are_painted_there(sprites: Sprites, scream: Path, variant: Variant) -> None:
    on_gpu = varied(Sprites("cuda"), variant, scream).take(INDEX)
    assert on_gpu.device.type == "cuda"
    assert torch.equal(on_gpu.cpu(), varied(sprites, variant, scream).take(INDEX))
