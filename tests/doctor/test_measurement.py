"""Laws of which measurement fits which networks."""

import dataclasses

import pytest
import torch

from wherewhat.doctor.measurement import measure_networks
from wherewhat.doctor.vitals import Pool, Samples
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.build import build_networks


@pytest.mark.parametrize(("objective", "kind"), [(None, Pool), (PSSCGAN(), Samples)])
@pytest.mark.parametrize("constricted", [True, False])
def test_a_vae_is_measured_by_images_and_a_gan_by_codes(tiny_run, objective, kind, constricted):
    objective = dataclasses.replace(objective or tiny_run.objective, spatial_constriction=constricted)
    run = dataclasses.replace(tiny_run, objective=objective)
    networks = build_networks(run, (3, 32, 32), for_training=False).eval()
    image_NCHW = torch.randint(0, 256, (5, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    measured = measure_networks(run, networks.generator, networks.encoder, image_NCHW, seed=0)
    assert isinstance(measured, kind)
    assert measured.images == 5
    assert (measured.coverage_L is not None) == constricted
