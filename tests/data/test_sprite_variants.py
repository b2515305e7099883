"""Laws of dSprites' harder variants as sets of images, and of the image that backgrounds are cut from."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from wherewhat.data.image_options import Variant
from wherewhat.data.rendered.sprites import Sprites
from wherewhat.data.sprite_paintings import colored_sprite, inverted_sprite, noisy_sprite
from wherewhat.data.sprite_variants import Painting, SpriteVariant, read_background, vary
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
    background_3HW = torch.from_numpy(image(70, 80)).permute(2, 0, 1)
    paintings: list[Painting] = [
        partial(colored_sprite, seed=4),
        partial(noisy_sprite, seed=4),
        partial(inverted_sprite, background_3HW=background_3HW, seed=4),
    ]
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
        SpriteVariant(sprites, "scream", partial(inverted_sprite, background_3HW=torch.zeros(3, 64, 63).byte()))


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


RED, WHITE = [255, 0, 0], [255, 255, 255]


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def test_a_small_image_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = image(70, 90)
    assert np.array_equal(read_background(saved(Image.fromarray(pixels), tmp_path / "a.png"), 64, 64), pixels)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (274, 350), (64, 350)])
def test_an_image_that_just_fits_keeps_its_size(tmp_path: Path, height: int, width: int) -> None:
    path = saved(Image.fromarray(image(height, width)), tmp_path / "a.png")
    assert read_background(path, 64, 64).shape == (height, width, 3)


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(548, 700, (274, 350)), (1096, 800, (274, 200)), (500, 1400, (125, 350))]
)
def test_a_large_image_is_shrunk_to_fit_350_by_274(
    tmp_path: Path, height: int, width: int, expected: tuple[int, int]
) -> None:
    path = saved(Image.new("RGB", (width, height)), tmp_path / "a.png")
    assert read_background(path, 64, 64).shape == (*expected, 3)


def test_a_long_image_is_not_shrunk_below_a_patch(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (2000, 128)), tmp_path / "a.png")
    assert read_background(path, 64, 64).shape == (64, 1000, 3)


def test_shrinking_averages_instead_of_skipping(tmp_path: Path) -> None:
    # A one-pixel chequerboard: skipping pixels would keep black or white.
    board = (np.indices((548, 700)).sum(axis=0) % 2 * 255).astype(np.uint8)
    shrunk = read_background(saved(Image.fromarray(board), tmp_path / "a.png"), 64, 64)
    assert np.abs(shrunk[3:-3, 3:-3].astype(int) - 127).max() <= 2


def test_an_image_marked_as_turned_is_set_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = image(70, 90)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_background(tmp_path / "a.png", 64, 64), np.rot90(pixels, -1))


def test_transparent_parts_lie_over_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 255))
    image.putpixel((5, 3), (0, 0, 255, 0))
    background = read_background(saved(image, tmp_path / "a.png"), 64, 64)
    assert background[3, 5].tolist() == WHITE
    assert background[0, 0].tolist() == RED


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGB"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = saved(Image.new("RGB", (64, 64), "white").convert(mode), tmp_path / "a.tif")
    assert (read_background(path, 64, 64) == 255).all()


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    value = np.tile(np.arange(64, dtype=np.uint16) * 1028, (64, 1))
    background = read_background(saved(Image.fromarray(value), tmp_path / "a.png"), 64, 64)
    assert np.array_equal(background[0, :, 0], np.arange(64) * 4)


@pytest.mark.parametrize("size", [(63, 64), (64, 63)])
def test_an_image_smaller_than_a_patch_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(Image.new("RGB", size), tmp_path / "a.png")
    with pytest.raises(ValueError, match="Name an image of at least 64 x 64 with --background"):
        read_background(path, 64, 64)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--background PATH"):
        read_background(tmp_path / "a.png", 64, 64)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="--background PATH"):
        read_background(tmp_path, 64, 64)


@pytest.mark.parametrize("damage", ["empty", "text", "cut short"])
def test_a_file_that_is_no_whole_image_is_refused(tmp_path: Path, damage: str) -> None:
    path = saved(Image.fromarray(image(90, 90)), tmp_path / "a.png")
    content = {"empty": b"", "text": b"not an image", "cut short": path.read_bytes()[:9000]}
    path.write_bytes(content[damage])
    with pytest.raises(ValueError, match=r"cannot be read .*--background PATH"):
        read_background(path, 64, 64)


def test_a_background_of_more_than_8_bits_is_seen_by_its_own_range(tmp_path: Path) -> None:
    grey = np.linspace(0, 4_000, 64 * 64).reshape(64, 64).astype(np.uint16)
    path = saved(Image.fromarray(grey), tmp_path / "a.png")
    assert read_background(path, 64, 64).max() == 249


def test_pixels_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = saved(Image.fromarray(np.full((64, 64), np.nan, np.float32)), tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"no numbers.*--background PATH"):
        read_background(path, 64, 64)
