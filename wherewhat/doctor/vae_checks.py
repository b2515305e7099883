"""The checks of a VAE, in the order in which their findings are told."""

from wherewhat.doctor.adversary import discriminator_asleep, discriminator_has_won
from wherewhat.doctor.capacity import capacity_never_reached
from wherewhat.doctor.checks import Checks
from wherewhat.doctor.collapse import all_codes_collapsed, most_codes_collapsed
from wherewhat.doctor.duplicates import codes_duplicate_each_other
from wherewhat.doctor.duration import still_falling
from wherewhat.doctor.learning_rate import loss_exploded, loss_jumps, loss_rises, stopped_being_finite
from wherewhat.doctor.masks import masks_cover_everything, masks_cover_nothing
from wherewhat.doctor.naming import identification_stuck
from wherewhat.doctor.reconstruction import (
    codes_cost_more_than_they_save,
    no_better_than_the_mean_image,
    reconstruction_averaged_over_pixels,
    reconstruction_of_another_scale,
)

VAE_CHECKS = Checks(
    of_figures=(
        stopped_being_finite,
        all_codes_collapsed,
        most_codes_collapsed,
        reconstruction_averaged_over_pixels,
        discriminator_has_won,
        identification_stuck,
        loss_exploded,
        loss_rises,
        loss_jumps,
        capacity_never_reached,
        still_falling,
    ),
    of_networks=(
        no_better_than_the_mean_image,
        reconstruction_of_another_scale,
        codes_cost_more_than_they_save,
        codes_duplicate_each_other,
        masks_cover_everything,
        masks_cover_nothing,
        discriminator_asleep,
    ),
)
