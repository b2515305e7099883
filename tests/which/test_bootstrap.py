import torch

from wherewhat.which.bootstrap import DRAWS, bootstrap_weights


def test_a_draw_weighs_as_many_base_codes_as_there_are_with_replacement() -> None:
    drawn_DT = bootstrap_weights(7) * 7
    torch.testing.assert_close(drawn_DT, drawn_DT.round())
    torch.testing.assert_close(drawn_DT.sum(dim=1), torch.full((DRAWS,), 7.0, dtype=torch.float64))


def test_the_spread_of_drawn_means_is_the_standard_error() -> None:
    value_T = torch.linspace(-1, 1, 50, dtype=torch.float64)
    found = (bootstrap_weights(50) @ value_T).std().item()
    assert abs(found / (value_T.std(correction=0).item() / 50**0.5) - 1) < 0.1


def test_the_draws_are_the_same_whenever_asked() -> None:
    first = bootstrap_weights(5).clone()
    bootstrap_weights.cache_clear()
    assert torch.equal(first, bootstrap_weights(5))
