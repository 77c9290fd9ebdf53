"""Our fused steps equal PyTorch's optimisers."""

import pytest
import torch
from torch import nn

from exprml.models import optimizers
from exprml.models.optimizers import Optimizer, parameter_groups, wide_layers
from exprml.models.settings import TrainingSettings

INPUTS = torch.randn(20, 9, generator=torch.Generator().manual_seed(1)) * 5


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 3))


def flat(module):
    return torch.cat([parameter.detach().ravel() for parameter in module.parameters()])


def after_steps(module, step, n=20):
    for _ in range(n):
        module(INPUTS).square().mean().backward()  # of a sum, so steep, rounding would grow with every step
        step()
    return flat(module)


def reference(kind, clip_norm, **options):
    module = network()
    optimizer = kind(module.parameters(), lr=0.01, **options)

    def step():
        if clip_norm:
            nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
        optimizer.step()
        optimizer.zero_grad()

    return after_steps(module, step)


ADAM = {"optimizer": "adam"}
SGD = {"optimizer": "sgd"}


def ours(module, **settings):
    return Optimizer(module, TrainingSettings(**{"learning_rate": 0.01} | settings))


@pytest.mark.parametrize("clip_norm", [None, 0.5])
@pytest.mark.parametrize(
    ("kind", "theirs", "options"),
    [
        (ADAM, torch.optim.Adam, {}),
        (ADAM, torch.optim.Adam, {"weight_decay": 0.1}),
        (SGD, torch.optim.SGD, {}),
        (SGD, torch.optim.SGD, {"momentum": 0.5, "weight_decay": 0.1}),
        (SGD, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ],
)
def test_same_weights_as_pytorch(kind, theirs, options, clip_norm):
    module = network()
    optimizer = ours(module, clip_norm=clip_norm, **kind, **options)
    found, expected = after_steps(module, optimizer.step), reference(theirs, clip_norm, **options)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(found, flat(network()))


def test_one_plain_step_is_clipped_to_rate_times_norm():
    module = network()
    before = flat(module)
    module(INPUTS).square().sum().backward()
    ours(module, learning_rate=0.1, clip_norm=0.01, **SGD).step()
    assert (flat(module) - before).norm().item() == pytest.approx(0.1 * 0.01, rel=1e-4)


def test_a_small_gradient_is_not_clipped():
    module, other = network(), network()
    for one, clip_norm in ((module, 1e6), (other, None)):
        one(INPUTS).square().sum().backward()
        ours(one, learning_rate=1e-4, clip_norm=clip_norm, **SGD).step()
    assert torch.equal(flat(module), flat(other))


def test_layer_rates_are_for_weights_and_the_last_one_repeats():
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    factors = {
        id(parameter): group["rate_factor"]
        for group in parameter_groups(module, TrainingSettings(layer_rates=(1, 3)))
        for parameter in group["params"]
    }
    layers = [module[0], module[2], module[4]]
    assert [factors[id(layer.weight)] for layer in layers] == [1, 3, 3]
    assert [factors[id(layer.bias)] for layer in layers] == [1, 1, 1]


class Wide(nn.Module):
    """Two layers, the second's weight also used outside it."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.first, self.second = nn.Linear(9, 8), nn.Linear(8, 8)

    def forward(self, X, tied):
        outputs = self.second(torch.tanh(self.first(X)))
        return outputs @ self.second.weight if tied else outputs


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("options", [ADAM | {"weight_decay": 0.1}, SGD | {"momentum": 0.5}])
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_gradients_kept_as_factors_take_the_same_steps(options, clip_norm, tied, monkeypatch):
    monkeypatch.setattr(optimizers, "BLOCK", 24)  # two or three rows: several blocks, the last one smaller
    flats = []
    for factored in (False, True):
        module = Wide()
        layers = [module.first, module.second] if factored else []
        optimizer = ours(module, clip_norm=clip_norm, **options)
        for _ in range(20):
            with optimizer.keep_factors(layers):
                module(INPUTS, tied).square().sum().backward()
            assert (module.first.weight.grad is None) == factored
            optimizer.step()
        flats.append(flat(module))
    torch.testing.assert_close(*flats, rtol=1e-4, atol=1e-6)
    assert not torch.equal(flats[0], flat(Wide()))


def test_the_norm_of_a_product_from_its_factors():
    errors, inputs = torch.randn(16, 30), torch.randn(16, 50)
    torch.testing.assert_close(optimizers.product_norm(errors, inputs), (errors.T @ inputs).norm())
    errors[8:], inputs[8:] = -errors[:8], inputs[:8] * (1 + 1e-4)  # the rows' gradients nearly cancel
    exact = (errors.double().T @ inputs.double()).norm().float()
    torch.testing.assert_close(optimizers.product_norm(errors, inputs), exact, rtol=1e-5, atol=0)


def test_only_wide_layers_keep_factors_and_only_in_small_batches():
    class Own(nn.Linear):
        pass

    module = nn.Sequential(nn.Linear(1024, 512), Own(1024, 512), nn.Linear(512, 8))
    assert wide_layers(module, 16) == wide_layers(module, 200) == [module[0]]
    assert wide_layers(module, 1000) == []


def test_a_group_of_wide_weights_alone_steps_like_any_other():
    # with a rate of its own for the second layer's weight, that group has nothing left to step for itself
    flats = []
    for wide in (False, True):
        module = network()
        optimizer = ours(module, layer_rates=(1, 3), momentum=0.5, **SGD)
        with optimizer.keep_factors([module[0], module[2]] if wide else []):
            flats.append(after_steps(module, optimizer.step))
    torch.testing.assert_close(*flats, rtol=1e-5, atol=1e-6)
