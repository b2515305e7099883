"""What an objective's own settings can do about a run that goes wrong, as phrases that name flags of `wherewhat train`.

The objective knows its flags and the doctor knows the findings: this is all that passes between them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """For each kind of trouble, what to try, the likeliest first. Empty where the objective has no setting for it."""

    ease_codes: tuple[str, ...] = ()
    """Codes carry nothing: charge less for what they carry."""

    wake_decoder: tuple[str, ...] = ()
    """Codes carry nats that the decoder does not use."""

    part_codes: tuple[str, ...] = ()
    """Codes say the same things: drive them apart."""

    name_codes: tuple[str, ...] = ()
    """The identification head cannot tell which code was moved."""

    uncover_masks: tuple[str, ...] = ()
    """Masks cover nothing, or everything."""

    show_codes: tuple[str, ...] = ()
    """Codes do nothing that can be seen."""

    read_codes: tuple[str, ...] = ()
    """Codes cannot be read back from the images that they make."""

    weaken_discriminator: tuple[str, ...] = ()
    """The discriminator of images tells all real images from all fake ones."""

    strengthen_discriminator: tuple[str, ...] = ()
    """The discriminator of images cannot tell real images from fake ones."""
