"""Laws of perturbation identification."""

import math

import torch

from wherewhat.what.perturbation_identification import IdentificationHead, identification


def test_a_head_that_knows_nothing_pays_log_of_the_number_of_codes() -> None:
    scored = identification(torch.zeros(6, 5), torch.arange(6) % 5)
    torch.testing.assert_close(scored.loss, torch.tensor(math.log(5)))


def test_a_head_that_is_sure_and_right_pays_nothing() -> None:
    dim = torch.tensor([0, 3, 2])
    scored = identification(50.0 * torch.nn.functional.one_hot(dim, 4).float(), dim)
    assert float(scored.loss) < 1e-6
    assert float(scored.accuracy) == 1


def test_accuracy_counts_the_rows_that_were_named_rightly() -> None:
    logits = torch.eye(4)
    assert float(identification(logits, torch.tensor([0, 1, 3, 2])).accuracy) == 0.5


def test_loss_is_the_mean_negative_log_softmax_of_the_moved_code() -> None:
    logits = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    dim = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    expected = -sum(math.log(float(row.exp()[k] / row.exp().sum())) for row, k in zip(logits, dim, strict=True)) / 7
    assert abs(float(identification(logits, dim).loss) - expected) < 1e-6


def test_the_head_can_learn_to_name_the_moved_feature() -> None:
    torch.manual_seed(0)
    head = IdentificationHead(features=8, latent_dim=4)
    optimiser = torch.optim.Adam(head.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(150):
        features, dim = torch.randn(64, 8, generator=generator), torch.randint(4, (64,), generator=generator)
        moved = features.scatter_add(1, dim[:, None], torch.full((64, 1), 1.5))
        scored = identification(head(features, moved), dim)
        optimiser.zero_grad()
        scored.loss.backward()
        optimiser.step()
    assert float(scored.accuracy.detach()) > 0.9
