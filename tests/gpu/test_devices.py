"""Numbers of an accelerator equal the CPU's within `dlviz.zoo.device.TOLERANCE`.

The difference is measured against the largest number of the tensor: single small values may differ
more in proportion, because the terms of their sums cancel.
"""

import pytest
import torch
from torchvision import models

from dlviz.vision.readable import make_readable
from dlviz.vision.residual_cnn import ResidualCNN
from dlviz.zoo import device

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(len(device.available()) == 1, reason="no accelerator on this machine"),
]

NAMES = ("resnet18", "resnet50", "vgg16", "mobilenet_v3_large", "convnext_tiny", "vit_b_16")


@pytest.fixture
def policy(monkeypatch):
    monkeypatch.setenv("DLVIZ_DEVICE", "auto")
    found = device.policy()
    assert found.device.type != "cpu"
    return found


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.cpu() - expected).abs().max() / expected.abs().max())


def maps_and_gradients(network, x, on):
    """Output of every convolution, the logits, and the gradient of the largest one at the input."""
    network, x = network.to(on), x.to(on).requires_grad_()
    found = {}
    hooks = [
        module.register_forward_hook(lambda _m, _i, out, name=name: found.update({name: out.detach().cpu()}))
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    logits = network(x)
    logits.max(1).values.sum().backward()
    for hook in hooks:
        hook.remove()
    return {**found, "logits": logits.detach().cpu(), "gradient": x.grad.cpu()}


def compare(network, x, policy):
    network = network.eval().requires_grad_(False)
    expected = maps_and_gradients(network, x, "cpu")
    found = maps_and_gradients(network, x, policy.device)
    assert found.keys() == expected.keys() and len(found) > 2
    for name, value in expected.items():
        assert difference(found[name], value) < device.TOLERANCE, name


def test_our_network(policy):
    torch.manual_seed(0)
    compare(ResidualCNN(class_count=101), torch.randn(2, 3, 128, 128), policy)


@pytest.mark.parametrize("name", NAMES)
def test_public_networks(policy, name):
    torch.manual_seed(0)
    network = make_readable(models.get_model(name, weights=None, num_classes=100))
    compare(network, torch.randn(1, 3, 224, 224), policy)


def test_products_are_not_rounded_to_tf32(policy):
    """TF32 keeps 10 bits of mantissa, an error near 1e-3: a product within 1e-5 was computed in float32."""
    torch.manual_seed(0)
    a, b = torch.randn(512, 512), torch.randn(512, 512)
    assert difference(a.to(policy.device) @ b.to(policy.device), a @ b) < 1e-5
    x, kernels = torch.randn(1, 64, 56, 56), torch.randn(64, 64, 3, 3)
    expected = torch.nn.functional.conv2d(x, kernels)
    assert (
        difference(torch.nn.functional.conv2d(x.to(policy.device), kernels.to(policy.device)), expected)
        < 1e-5
    )


def test_the_footer_names_the_device(policy):
    assert policy.name not in ("", "CPU")
    assert policy.precision == "float32"
