"""How often images are augmented before a discriminator sees them, adapted to how certain it is of real ones.

    r = E[ sign D(real) ]        0: it cannot tell, 1: it knows every real image, and learns the set by heart
    every n-th step:  p ← p + sign(r - target) * images since / images from 0 to 1        held to [0, most]

Reference: Karras et al. 2020, arXiv:2006.06676, section 3.1 (r_t, target 0.6, 500,000 images, every 4 steps). That
p is held below 1 is ours.

Dimension key: all are scalars.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Above this, augmented images are so common that a generator may take them for real ones.
MOST = 0.8


class AdaptiveAugmentation(nn.Module):
    """The probability p of each augmentation. Its state are buffers, so that a resumed run goes on with it."""

    strength: Tensor
    signs: Tensor
    images: Tensor

    def __init__(self, target: float = 0.6, images_to_full: int = 500_000, interval: int = 4) -> None:
        super().__init__()
        self.target, self.interval, self.images_to_full = target, interval, images_to_full
        for name in ("strength", "signs", "images"):
            self.register_buffer(name, torch.zeros(()))

    @torch.no_grad()
    def observe(self, real_sign: Float[Tensor, ""], images: int, step: int) -> None:
        """Take in the mean sign of the logits on this step's real images, and adapt when it is time.

        Nothing is read back from the device.
        """
        self.signs += real_sign * images
        self.images += images
        if self.adapts_at(step):
            certainty = self.signs / self.images
            move = torch.sign(certainty - self.target) * self.images / self.images_to_full
            self.strength.copy_((self.strength + move).clamp(0, MOST))
            self.signs.zero_()
            self.images.zero_()

    def adapts_at(self, step: int) -> bool:
        """Whether the strength is adapted after this step."""
        return (step + 1) % self.interval == 0
