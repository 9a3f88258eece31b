"""CNN filters beside the bare network and beside TorchCAM, in one run: ``python -m benchmarks.cnn_filters``.

The candidates take turns within each round, and every ratio is taken within its round, so that whatever else
the machine does falls on all of them. The model is the bundled one, and torchvision's ResNet-18 with random
weights: the arithmetic, and so the time, is that of trained ones.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import nn

from dlviz import zoo
from dlviz.intake import images
from dlviz.vision.attribution import attribute, layer_evidence
from dlviz.vision.class_activation import default_layer
from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.cnn_filters import feature_maps
from dlviz.vision.readable import make_readable

ALLOWED = 1.3
"""Feature maps + Grad-CAM may take this many times a bare forward and backward pass."""

BARE, PEER = "forward + backward", "TorchCAM: Grad-CAM"
ONE_PASS = "dlviz: maps + Grad-CAM, one pass"
TWO_CALLS = "dlviz: maps, then Grad-CAM"

Candidate = Callable[[], object]


def bundled() -> Classifier:
    model = zoo.load("caltech-cnn")
    assert isinstance(model, Classifier)
    return model


def resnet18() -> Classifier:
    from torchvision import models

    torch.manual_seed(0)
    network = make_readable(models.resnet18(weights=None))
    names = tuple(str(label) for label in range(1000))
    return Classifier(network, names, Preprocessing(224)).eval().requires_grad_(False)


def photo(side: int = 640) -> np.ndarray:
    """A photo-sized picture with structure at every scale; its content does not matter to the time."""
    random = np.random.default_rng(0)
    layers = [random.integers(0, 256, (side >> k, side >> k, 3), dtype=np.uint8) for k in range(7)]
    grown = [np.asarray(Image.fromarray(one).resize((side, side)), np.float32) for one in layers]
    return np.mean(grown, axis=0).astype(np.uint8)


def candidates(model: Classifier, image: np.ndarray, layer: str) -> dict[str, Candidate]:
    """What is timed. All start from the RGB photo, so each pays for its own preprocessing."""

    def forward() -> object:
        with torch.no_grad():
            return model(model.prepare(image)[0])

    def forward_backward() -> object:
        # Weights stay frozen, as the page holds them: the cheaper kind of backward pass, down to the photo.
        pixels = model.prepare(image)[0].requires_grad_()
        model(pixels)[0].max().backward()
        return pixels.grad

    def one_pass() -> object:
        return layer_evidence(model, image, layer=layer)

    def two_calls() -> object:
        maps = feature_maps(model, image, layer=layer)
        return maps, attribute(model, image, method="grad_cam", layer=layer)

    timed: dict[str, Candidate] = {
        "forward": forward,
        BARE: forward_backward,
        ONE_PASS: one_pass,
        TWO_CALLS: two_calls,
    }
    if peer := torchcam_grad_cam(model, image, layer):
        timed[PEER] = peer
    return timed


def torchcam_grad_cam(model: Classifier, image: np.ndarray, layer: str) -> Candidate | None:
    """TorchCAM as its manual uses it, hooks set once beforehand; None where it is not installed."""
    try:
        from torchcam.methods import GradCAM
    except ImportError:
        return None
    extractor = GradCAM(model.network, layer, enable_hooks=False)

    def run() -> object:
        extractor.enable_hooks()
        scores = model.network(model.prepare(image)[0].requires_grad_())
        cams = extractor(int(scores[0].argmax()), scores)
        extractor.disable_hooks()
        return cams

    return run


def measured(timed: dict[str, Candidate], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each candidate in each round; a round's order is drawn, the first does not count."""
    spent: dict[str, list[float]] = {name: [] for name in timed}
    turns, random = list(timed), np.random.default_rng(0)
    for count in range(rounds + 1):
        random.shuffle(turns)
        for name in turns:
            start = time.perf_counter()
            timed[name]()
            if count:
                spent[name].append(1000 * (time.perf_counter() - start))
    return spent


def ratio(spent: dict[str, list[float]], name: str, base: str) -> float:
    """The median over rounds of one candidate's time divided by another's in the same round."""
    return statistics.median(a / b for a, b in zip(spent[name], spent[base], strict=True))


def fastest(spent: dict[str, list[float]], name: str, base: str) -> float:
    """The same of the two fastest rounds: what is left of a ratio when the machine has other work."""
    return min(spent[name]) / min(spent[base])


def report(title: str, model: Classifier, image: np.ndarray, rounds: int) -> None:
    """Time one model and print its figures and ratios."""
    layer = default_layer(model.network, model.prepare(image)[0])
    spent = measured(candidates(model, image, layer), rounds)
    print(f"\n{title}, layer {layer}, {rounds} rounds")
    for name, times in spent.items():
        print(f"  {name:34s} median {statistics.median(times):7.1f} ms, fastest {min(times):7.1f} ms")
    limits = [(ONE_PASS, BARE, ALLOWED), (TWO_CALLS, BARE, ALLOWED), (ONE_PASS, PEER, 1.0)]
    for name, base, limit in limits:
        if base in spent:
            kept = "kept" if ratio(spent, name, base) <= limit else "NOT KEPT"
            found = f"{ratio(spent, name, base):.2f} (fastest rounds {fastest(spent, name, base):.2f})"
            print(f"  {name} / {base} = {found}, at most {limit}: {kept}")
    if PEER not in spent:
        print("  TorchCAM is not installed here: `make bench` installs it beside dlviz")


def first_picture(model: Classifier, image: np.ndarray, layer: str, rounds: int) -> float:
    """Median milliseconds, warm, from the bytes of a JPEG through the intake to the maps of a layer."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    data = file.getvalue()

    def run() -> object:
        return feature_maps(model, images.photo(data, "photo.jpg").pixels, layer=layer)

    return statistics.median(measured({"first": run}, rounds)["first"])


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"torch {torch.__version__}, {chosen.threads} threads")
    image = photo()
    ours = bundled()
    report("Bundled residual CNN", ours, image, chosen.rounds)
    report("ResNet-18 at 224 px, random weights", resnet18(), image, chosen.rounds)
    first = next(name for name, module in ours.network.named_modules() if isinstance(module, nn.Conv2d))
    spent = first_picture(ours, image, first, chosen.rounds)
    size = f"{image.shape[1]}x{image.shape[0]}"
    print(f"\nBundled residual CNN, warm: JPEG of {size} to the maps of {first}: {spent:.0f} ms")


if __name__ == "__main__":
    main()
