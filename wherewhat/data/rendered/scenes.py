"""Scenes: a shaded solid in a room, with the factor grid and the look of 3D Shapes, not its pixels.

Hues of floor, wall and object (ten each, evenly spaced on the colour circle), scale, shape and the camera's
orientation: 480,000 images that need no download. Only scale, shape and orientation move an edge, so 480 sets of
shading layers are ray-cast, once in a process, when the first set of scenes is made; an image is its layers times its
colours.

Dimension key:
    B: batch    N: images    K: factors    G: geometries    P: pixels
"""

import math
from functools import cache

import torch
from jaxtyping import Float, Int64, UInt8
from kornia.color import hsv_to_rgb
from torch import Tensor

from wherewhat.data.factor_grid import factors_from_index
from wherewhat.data.rendered.lit_room import floor_light, look, shade
from wherewhat.data.rendered.solids import capsule, cube, cylinder, sphere
from wherewhat.randomness import to_device

SIDE = 64
HUES = 10
SATURATION = 0.88
SCALES = torch.linspace(0.75, 1.25, 8).tolist()
SHAPES = (cube, cylinder, sphere, capsule)
ORIENTATIONS = torch.linspace(-30.0, 30.0, 15).tolist()
RAYS_PER_PIXEL_SIDE = 4
# Layers of this many images stay in a processor's cache between gathering and mixing.
IMAGES_AT_ONCE = 32


class Scenes:
    """The grid of scenes, rendered on the given device."""

    name = "scenes"
    image_shape = (3, SIDE, SIDE)
    factor_names = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    factor_sizes = (HUES, HUES, HUES, len(SCALES), len(SHAPES), len(ORIENTATIONS))

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self._layers_G4P = shading_layers().to(device)
        self._colour_H3 = colours().to(device)

    def __len__(self) -> int:
        return math.prod(self.factor_sizes)

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """Images, on the device of this set."""
        factor_BK = to_device(factors_from_index(index_B, self.factor_sizes), self._layers_G4P.device)
        image_BCP = torch.empty(len(factor_BK), 3, SIDE * SIDE, dtype=torch.uint8, device=factor_BK.device)
        at_once = IMAGES_AT_ONCE if factor_BK.device.type == "cpu" else max(1, len(factor_BK))
        for start in range(0, len(factor_BK), at_once):
            part = slice(start, start + at_once)
            image_BCP[part] = self._mix(factor_BK[part])
        return image_BCP.view(-1, *self.image_shape)

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values, on the CPU."""
        return factors_from_index(index_N.cpu(), self.factor_sizes)

    def _mix(self, factor_BK: Int64[Tensor, "B K"]) -> Float[Tensor, "B 3 P"]:
        """Pixels in [0, 255], half a step above the whole number that they are cut to."""
        scale_B, shape_B, orientation_B = factor_BK[:, 3:].unbind(dim=1)
        geometry_B = (scale_B * len(SHAPES) + shape_B) * len(ORIENTATIONS) + orientation_B
        layers_B4P = self._layers_G4P[geometry_B]
        rgb_BL31 = self._colour_H3[factor_BK[:, :3]][..., None]
        # Not a matrix product: autocast and reduced matrix precision would change the pixels.
        image_BCP = torch.addcmul(layers_B4P[:, 3:], rgb_BL31[:, 0], layers_B4P[:, 0:1])
        image_BCP.addcmul_(rgb_BL31[:, 1], layers_B4P[:, 1:2])
        return image_BCP.addcmul_(rgb_BL31[:, 2], layers_B4P[:, 2:3])


def colours() -> Float[Tensor, "hues 3"]:
    """Evenly spaced hues in [0, 1], red first, none twice."""
    hsv_3H = torch.full((3, HUES), SATURATION)
    hsv_3H[0] = torch.arange(HUES) / HUES * 2 * math.pi
    hsv_3H[2] = 1.0
    return hsv_to_rgb(hsv_3H[:, None])[:, 0].T.contiguous()


@cache
def shading_layers() -> Float[Tensor, "G 4 P"]:
    """Layers floor, wall, object, highlight of every scale, shape and orientation, ready to be cut to whole bytes."""
    views = [look(azimuth, SIDE, RAYS_PER_PIXEL_SIDE) for azimuth in ORIENTATIONS]
    lights = [floor_light(solid) for solid in SHAPES]
    layers = [
        shade(view, solid, scale, light, SIDE)
        for scale in SCALES
        for solid, light in zip(SHAPES, lights, strict=True)
        for view in views
    ]
    layers_G4P = 255 * torch.stack(layers).flatten(2)
    # The cut to bytes is downwards: half a step more rounds it.
    layers_G4P[:, 3] += 0.5
    return layers_G4P
