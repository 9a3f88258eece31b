"""Image classifiers as every lesson meets them: a network, its classes, and how a photo becomes its input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor, nn

from dlviz.errors import DlvizError, WeightsError
from dlviz.i18n import N_
from dlviz.vision.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Geometry, Mode, to_input
from dlviz.vision.weight_files import fill, shown

Photo = UInt8[np.ndarray, "height_photo width_photo 3"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    r"""How a network was trained to see a photo: part of the model, as much as its weights are.

    $$ x_c = \frac{p_c / 255 - \mathrm{mean}_c}{\mathrm{std}_c} $$

    Parameters
    ----------
    size
        Side of the input square in pixels.
    mean, std
        Of each colour channel, on the 0 to 1 scale.
    mode
        ``"stretch"`` squashes the whole photo into the square. ``"crop"`` does what torchvision does to
        test its models: bring the shorter side to ``resize`` pixels, then cut out the centred square.
    resize
        Length of the shorter side before the cut, in ``"crop"`` mode only.
    """

    size: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    mode: Mode = "stretch"
    resize: int = 0

    def __call__(self, image: Photo) -> tuple[Float[Tensor, "1 3 height width"], Geometry]:
        """The network's input, and the geometry that leads from its cells back to the photo."""
        return to_input(image, self.size, self.mean, self.std, self.mode, self.resize)


class Classifier(nn.Module):
    """A network with what is needed to use it on a photo and to name its answer.

    Attributes
    ----------
    network
        Maps ``(batch, 3, height, width)`` to logits ``(batch, label)``.
    classes
        Name of each label, in English, in the order of the logits.
    preprocessing
        Turns a photo into the network's input.

    Example
    -------
    >>> from dlviz.vision.residual_cnn import ResidualCNN
    >>> model = Classifier(ResidualCNN(class_count=2), ("cat", "dog"), Preprocessing(64))
    >>> pixels, geometry = model.prepare(np.zeros((480, 640, 3), np.uint8))
    >>> model(pixels).shape
    torch.Size([1, 2])
    """

    def __init__(self, network: nn.Module, classes: tuple[str, ...], preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.preprocessing = preprocessing

    def forward(self, pixels: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch label"]:
        """Logits of each class; `softmax` over them gives the probabilities."""
        return self.network(pixels)

    def prepare(self, image: Photo) -> tuple[Float[Tensor, "1 3 height width"], Geometry]:
        """The photo as this network's input, on the device where the network is."""
        pixels, geometry = self.preprocessing(image)
        weight = next(self.parameters())
        return pixels.to(weight.device, weight.dtype), geometry


def class_names(model: Classifier) -> tuple[str, ...]:
    """The names of the classes, in the order of the logits."""
    return model.classes


def residual_cnn(
    folder: Path, *, arguments: Mapping[str, Any], preprocessing: Mapping[str, Any]
) -> Classifier:
    """Our own network, from ``weights.safetensors`` (stored in half precision) and ``classes.json``.

    The weights are brought back to float32: half precision halves the file, and costs the numbers
    nothing that a page shows, but arithmetic in it would.
    """
    from dlviz.vision.residual_cnn import ResidualCNN

    network = ResidualCNN(**arguments)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return Classifier(network.float(), read_classes(folder / "classes.json"), _preprocessing(preprocessing))


def untrained_residual_cnn(
    folder: Path, *, arguments: Mapping[str, Any], preprocessing: Mapping[str, Any], seed: int
) -> Classifier:
    """Our own network as it was before its training: the weights that the recipe's seed draws.

    Beside the trained one it shows what is learnt and what the architecture gives for nothing.
    """
    from dlviz.vision.residual_cnn import ResidualCNN

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ResidualCNN(**arguments)
    return Classifier(network, read_classes(folder / "classes.json"), _preprocessing(preprocessing))


def torchvision_classifier(folder: Path, *, name: str, weights: str) -> Classifier:
    """A public network, as torchvision defines it, from its weight file in ``folder``.

    ``name`` is torchvision's (``"resnet18"``), ``weights`` the member of its weights table
    (``"IMAGENET1K_V1"``), which also knows the classes and the preprocessing. Nothing is downloaded.
    """
    from torchvision import models

    entry = models.get_model_weights(name)[weights]
    network = torchvision_network(name, folder / entry.url.rsplit("/", 1)[-1], len(entry.meta["categories"]))
    test = entry.transforms()
    preprocessing = Preprocessing(
        test.crop_size[0], tuple(test.mean), tuple(test.std), "crop", test.resize_size[0]
    )
    return Classifier(network, tuple(entry.meta["categories"]), preprocessing)


def torchvision_network(name: str, file: Path, class_count: int) -> nn.Module:
    """torchvision's architecture ``name`` with the weights of ``file``, every step readable by a hook."""
    from torchvision import models

    from dlviz.vision.readable import make_readable

    with torch.device("meta"):
        network = models.get_model(name, weights=None, num_classes=class_count)
    # On the meta device nothing is allocated or drawn at random: the file's tensors become the weights.
    fill(network, file, name, assign=True)
    return make_readable(network.float())


def folder_classifier(folder: Path) -> Classifier:
    """A checkpoint of the operator's own, described by the ``config.json`` beside it.

    Two descriptions are understood. timm's own (``timm.models.save_for_hf``): ``architecture``,
    ``num_classes``, ``pretrained_cfg``, weights in ``model.safetensors``. And a short one for
    torchvision: ``{"library": "torchvision", "architecture": "resnet18", "weights": "mine.pth",
    "classes": ["cat", "dog"], "preprocessing": {"size": 224, "mode": "crop", "resize": 256}}``.
    Only tensors are read from the weight file: a pickle that holds code is refused. The network made is
    tried on one grey picture, so that a description that does not fit it is told here and not on a page.

    Raises
    ------
    WeightsError
        The description cannot be followed, or the weights do not fit it; the message names the file.
    """
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        build = _torchvision_folder if config.get("library") == "torchvision" else _timm_folder
        model = build(folder, config).eval()
        _try_out(model)
    except (DlvizError, MemoryError, torch.OutOfMemoryError):
        raise
    except KeyError as error:
        raise WeightsError(
            N_("No network can be built from the description {file}: it does not state {word}."),
            file=shown(file),
            word=str(error),
        ) from error
    except Exception as error:  # any architecture of two libraries, and what it makes of any description
        raise WeightsError(
            N_("No network can be built from the description {file}: {reason}"),
            file=shown(file),
            reason=str(error).partition("\n")[0] or type(error).__name__,
        ) from error
    return model


def _torchvision_folder(folder: Path, config: Mapping[str, Any]) -> Classifier:
    classes = tuple(map(str, config["classes"]))
    network = torchvision_network(config["architecture"], folder / config["weights"], len(classes))
    return Classifier(network, classes, _preprocessing(config["preprocessing"]))


def _timm_folder(folder: Path, config: Mapping[str, Any]) -> Classifier:
    import timm

    from dlviz.vision.readable import make_readable

    given = config["pretrained_cfg"]
    count = config.get("num_classes", given.get("num_classes"))
    # timm writes the number of classes into its model_args as well, where it has any.
    network = timm.create_model(
        config["architecture"], **{"num_classes": count, **config.get("model_args", {})}
    )
    fill(network, folder / config.get("weights", "model.safetensors"), config["architecture"])
    names = config.get("label_names") or given.get("label_names") or range(count)
    size = given["input_size"][-1]
    resize = round(size / given.get("crop_pct", 1.0))
    preprocessing = Preprocessing(size, tuple(given["mean"]), tuple(given["std"]), "crop", resize)
    return Classifier(make_readable(network), tuple(map(str, names)), preprocessing)


def _try_out(model: Classifier) -> None:
    """One pass over a grey picture: does the network take this input, and answer with these classes?"""
    side = model.preprocessing.size
    with torch.no_grad():
        pixels, _geometry = model.prepare(np.full((side, side, 3), 128, dtype=np.uint8))
        answers = tuple(model(pixels).shape)
    if answers != (1, len(model.classes)):
        raise ValueError(
            f"{len(model.classes)} classes are named, and the network's answer has shape {answers}"
        )


def read_classes(file: Path) -> tuple[str, ...]:
    """The list of class names in a JSON file."""
    return tuple(json.loads(file.read_text(encoding="utf-8")))


def _preprocessing(words: Mapping[str, Any]) -> Preprocessing:
    """From a JSON object, where triples are lists."""
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in words.items()}
    return Preprocessing(**given)
