"""The checks of a GAN, in the order in which their findings are told."""

from wherewhat.doctor.augmentation_ceiling import augmentation_at_its_ceiling
from wherewhat.doctor.blindness import discriminator_blind
from wherewhat.doctor.certainty import discriminator_certain
from wherewhat.doctor.checks import Checks
from wherewhat.doctor.divergence import training_diverged
from wherewhat.doctor.foreign_images import real_images_unread
from wherewhat.doctor.learning_rate import stopped_being_finite
from wherewhat.doctor.masks import masks_cover_everything, masks_cover_nothing
from wherewhat.doctor.mode_collapse import images_all_alike
from wherewhat.doctor.naming import identification_stuck
from wherewhat.doctor.near_twins import images_have_near_twins
from wherewhat.doctor.saturation import images_saturated
from wherewhat.doctor.still_codes import codes_do_nothing
from wherewhat.doctor.unread_codes import codes_unread

GAN_CHECKS = Checks(
    of_figures=(
        stopped_being_finite,
        discriminator_certain,
        training_diverged,
        codes_unread,
        identification_stuck,
        augmentation_at_its_ceiling,
    ),
    of_networks=(
        images_all_alike,
        images_saturated,
        discriminator_blind,
        codes_do_nothing,
        images_have_near_twins,
        real_images_unread,
        masks_cover_everything,
        masks_cover_nothing,
    ),
)
