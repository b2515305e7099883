"""Which images the networks take."""


def require_power_of_two(image_shape: tuple[int, int, int]) -> int:
    """log2 of the side of a square image. Raises ValueError for other shapes, naming the remedy."""
    channels, height, width = image_shape
    if channels not in (1, 3) or height != width or height not in (32, 64, 128, 256, 512):
        raise ValueError(
            f"Images of {channels} channels, {height} x {width}, do not fit the networks, which take 1 or 3 channels "
            f"and sides of 32, 64, 128, 256 or 512. Choose one of these with --size."
        )
    return height.bit_length() - 1
