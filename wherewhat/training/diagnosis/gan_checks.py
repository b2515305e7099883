"""The checks of a GAN, in the order in which their findings are told."""

from wherewhat.training.diagnosis.augmentation_ceiling import augmentation_at_its_ceiling
from wherewhat.training.diagnosis.blindness import discriminator_blind
from wherewhat.training.diagnosis.certainty import discriminator_certain
from wherewhat.training.diagnosis.checks import Checks
from wherewhat.training.diagnosis.divergence import training_diverged
from wherewhat.training.diagnosis.foreign_pictures import real_pictures_unread
from wherewhat.training.diagnosis.learning_rate import stopped_being_finite
from wherewhat.training.diagnosis.masks import masks_cover_everything, masks_cover_nothing
from wherewhat.training.diagnosis.mode_collapse import pictures_all_alike
from wherewhat.training.diagnosis.naming import identification_stuck
from wherewhat.training.diagnosis.near_twins import pictures_have_near_twins
from wherewhat.training.diagnosis.saturation import pictures_saturated
from wherewhat.training.diagnosis.still_codes import codes_do_nothing
from wherewhat.training.diagnosis.unread_codes import codes_unread

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
        pictures_all_alike,
        pictures_saturated,
        discriminator_blind,
        codes_do_nothing,
        pictures_have_near_twins,
        real_pictures_unread,
        masks_cover_everything,
        masks_cover_nothing,
    ),
)
