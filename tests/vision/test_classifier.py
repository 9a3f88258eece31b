"""The classifier's input is torchvision's own, its numbers too, and hooks find what was there."""

import numpy as np
import pytest
import torch
from torchvision import models

from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.readable import make_readable

NAMES = ("resnet18", "resnet50", "vgg16", "mobilenet_v3_large", "convnext_tiny", "vit_b_16")


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(480, 640), (333, 257), (256, 256), (100, 90), (1000, 301)])
def test_the_input_is_torchvisions_own(name, shape):
    test = models.get_model_weights(name)["IMAGENET1K_V1"].transforms()
    ours = Preprocessing(test.crop_size[0], tuple(test.mean), tuple(test.std), "crop", test.resize_size[0])
    image = photo(*shape)
    # As floats, because torchvision rounds a byte image to whole grey levels after the resize.
    theirs = test(torch.from_numpy(image).permute(2, 0, 1)[None] / 255)
    pixels, _ = ours(image)
    assert pixels.shape == theirs.shape
    assert (pixels - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (90, 400)])
def test_the_geometry_leads_back_to_the_photo(shape):
    """A white dot in the photo is found where the geometry says."""
    preprocessing = Preprocessing(224, mode="crop", resize=256)
    image = np.zeros((*shape, 3), np.uint8)
    y, x = shape[0] // 2 - 13, shape[1] // 2 + 17
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    pixels, geometry = preprocessing(image)
    light = pixels[0].sum(0) - pixels[0].sum(0).min()
    rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    centre = ((columns + 0.5) * light).sum() / light.sum(), ((rows + 0.5) * light).sum() / light.sum()
    assert geometry.to_photo(*map(float, centre)) == pytest.approx((x + 0.5, y + 0.5), abs=0.3)


def randomised(network):
    """Random statistics and scales too: with the initial ones a lost shortcut could stay unseen."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if "running" in key or "layer_scale" in key or key.endswith(("bn2.weight", "bn3.weight")):
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return network.eval()


@pytest.mark.parametrize("name", [n for n in NAMES if n != "vgg16"])
def test_readable_networks_compute_what_torchvisions_do(name):
    torch.manual_seed(0)
    network = randomised(models.get_model(name, weights=None, num_classes=10))
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        expected = network(x)
        got = make_readable(network)(x)
    assert (got - expected).abs().max() <= 1e-6 * expected.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_hook_keeps_is_not_overwritten_later(name):
    torch.manual_seed(0)
    with torch.device("cpu"):
        network = make_readable(models.get_model(name, weights=None, num_classes=10)).eval()
    kept, then, calls = {}, {}, {}

    def keep(module, _inputs, output):
        if isinstance(output, torch.Tensor):
            kept[module], then[module] = output, output.clone()
            calls[module] = calls.get(module, 0) + 1

    for module in network.modules():
        module.register_forward_hook(keep)
    with torch.no_grad():
        network(torch.randn(1, 3, 224, 224))
    assert len(kept) > 20
    for module, output in kept.items():
        assert torch.equal(output, then[module]), type(module).__name__
    assert set(calls.values()) == {1}, "a module that is called twice would show only its last values"


def test_torchvision_itself_does_overwrite():
    """The reason for all this; if it fails one day, `readable` can go."""
    network = models.resnet18(weights=None).eval()
    kept = {}
    hook = network.layer1[0].bn2.register_forward_hook(lambda m, i, o: kept.update(now=o, then=o.clone()))
    with torch.no_grad():
        network(torch.randn(1, 3, 64, 64))
    hook.remove()
    assert not torch.equal(kept["now"], kept["then"])


def test_a_classifier_prepares_in_its_own_precision():
    model = Classifier(torch.nn.Conv2d(3, 2, 1).double(), ("a", "b"), Preprocessing(8))
    pixels, geometry = model.prepare(photo(20, 30))
    assert pixels.dtype == torch.float64
    assert (geometry.width, geometry.height, geometry.size) == (30, 20, 8)
    assert model(pixels).shape == (1, 2, 8, 8)
