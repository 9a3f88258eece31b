"""The models that dlviz knows: their words here, their facts from the files or from the library.

To add a public classifier of torchvision, add a row to ``_TORCHVISION``. To add a bundled model, add its
words here and let its recipe and ``python -m dlviz.zoo seal`` write the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.settings import settings
from dlviz.zoo import language_cards, transformer_cards, vae_cards, word_cards
from dlviz.zoo.cards import CardFile, Facts, Metric, ModelCard, Sentence, read_facts

CLASSIFICATION = "image-classification"
VOCABULARY = language_cards.VOCABULARY
_TOP1 = N_("Top-1 accuracy")
_TOP5 = N_("Top-5 accuracy")

# Each in the weights of the plain recipe (IMAGENET1K_V1), the one that reproduces the paper. The newer
# V2 recipes gain a few points by training towards soft, mixed labels, and their probabilities are then
# far too low to be read as the network's confidence, which is what a page shows.
_WEIGHTS = "IMAGENET1K_V1"
_TEXTURE = N_(
    "It knows the 1,000 classes of ImageNet, among them over a hundred breeds of dog and three kinds of "
    "person: whatever it sees gets one of these names. It goes by texture more than by shape, and by the "
    "background too."
)
_PATCHES = N_(
    "It knows the 1,000 classes of ImageNet, among them over a hundred breeds of dog and three kinds of "
    "person: whatever it sees gets one of these names. It sees the photo as 196 patches, and what is smaller "
    "than a patch of 16 pixels easily escapes it."
)
_TORCHVISION_LICENCE = N_(
    "BSD 3-Clause, as torchvision. The photos of ImageNet are for non-commercial research and teaching."
)
_CROP = N_("An RGB photo, its shorter side brought to {resize} pixels, the central {size} × {size} of it.")
_CALTECH_FAILS = N_(
    "It knows 101 kinds of object, each learnt from photos with one object in the middle. Several objects, a "
    "small one near the border, or anything that is not in its list still get one of its names."
)
_TORCHVISION: dict[str, tuple[str, str, str]] = {
    "resnet18": ("ResNet-18", "Residual network (He et al. 2016)", _TEXTURE),
    "resnet50": ("ResNet-50", "Residual network (He et al. 2016)", _TEXTURE),
    "vgg16": ("VGG-16", "Plain deep CNN (Simonyan and Zisserman 2015)", _TEXTURE),
    "mobilenet_v3_large": ("MobileNet-V3 Large", "Inverted residuals (Howard et al. 2019)", _TEXTURE),
    "convnext_tiny": ("ConvNeXt-Tiny", "Modernised CNN (Liu et al. 2022)", _TEXTURE),
    "vit_b_16": ("ViT-B/16", "Vision transformer (Dosovitskiy et al. 2021)", _PATCHES),
}

# Title, repository on the Hugging Face hub, kind, languages. The hub tells size, sum and revision.
_VOCABULARIES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "gpt2": ("GPT-2", "openai-community/gpt2", "Byte-level BPE", ("en",)),
    "cl100k": ("GPT-4 (cl100k)", "Xenova/gpt-4", "Byte-level BPE", ("en", "fr")),
    "camembert": ("CamemBERT", "almanach/camembert-base", "Unigram (SentencePiece)", ("fr",)),
    "llama": ("Llama 2", "hf-internal-testing/llama-tokenizer", "BPE (SentencePiece)", ("en", "fr")),
}


def names() -> tuple[str, ...]:
    """Names of all models: bundled, in packages, public, then those in the operator's own folders."""
    public = (*_TORCHVISION, *_VOCABULARIES, *word_cards.PUBLIC, *transformer_cards.PUBLIC)
    return (*_BUNDLED, *transformer_cards.packaged(), *public, *_folders())


def card(name: str) -> ModelCard:
    """The card of a model, whether its files are there or not.

    Raises
    ------
    NotAvailable
        There is no model of that name.
    """
    if name in _BUNDLED:
        return _BUNDLED[name](name)
    if name in _TORCHVISION:
        return _torchvision_card(name, settings().home / "models" / name)
    if name in _VOCABULARIES:
        return _vocabulary_card(name, settings().home / "models" / name)
    if name in word_cards.PUBLIC:
        return word_cards.public_card(name, settings().home / "models" / name)
    if name in transformer_cards.PUBLIC:
        return transformer_cards.public_card(name, settings().home / "models" / name)
    if name in (packaged := transformer_cards.packaged()):
        return transformer_cards.packaged_card(name, packaged[name])
    if name in (folders := _folders()):
        return _folder_card(name, folders[name])
    raise NotAvailable(
        N_("There is no model called “{model}”. The models are: {names}."),
        model=name,
        names=", ".join(names()),
    )


def _vocabulary_card(name: str, folder: Path) -> ModelCard:
    """A public tokenizer: one file of tables and rules, read by ``dlviz.language.vocabularies``."""
    title, repo, kind, languages = _VOCABULARIES[name]
    return ModelCard(
        name=name,
        title=title,
        task=VOCABULARY,
        architecture=kind,
        source="public",
        folder=folder,
        files=(CardFile("tokenizer.json", repo=repo),),
        licence=Sentence(N_("As its repository on the Hugging Face hub says: {repo}."), {"repo": repo}),
        training_data=Sentence(N_("Its authors' own texts.")),
        input=Sentence(N_("Text.")),
        fails=Sentence(
            N_("It cuts best the languages it was trained on, and the others into many more pieces.")
        ),
        builder="",
        languages=languages,
    )


def bundled_dir(name: str) -> Path:
    """Where the files of a bundled model are: below ``assets/``, or below ``DLVIZ_ASSETS_DIR``."""
    return settings().assets / "models" / name


def _caltech_cnn(name: str) -> ModelCard:
    folder = bundled_dir(name)
    facts = _facts(folder)
    measured = facts.metrics
    shape = measured.get("input", {})
    return ModelCard(
        name=name,
        title=N_("Our residual CNN"),
        task=CLASSIFICATION,
        architecture="Residual network (He et al. 2016)",
        source="bundled",
        folder=folder,
        files=facts.files,
        licence=Sentence(
            N_(
                "Our own weights, under the MIT licence of dlviz. The photos that they learnt from are under "
                "CC BY 4.0."
            )
        ),
        training_data=Sentence(N_("Caltech-101: 5,784 photos of 101 kinds of object.")),
        input=Sentence(
            N_("An RGB photo, the whole of it squashed to {size} × {size} pixels."),
            {"size": shape.get("size", 0)},
        ),
        fails=Sentence(_CALTECH_FAILS),
        builder="dlviz.vision.classifier:residual_cnn",
        options={"arguments": measured.get("model_arguments", {}), "preprocessing": shape},
        recipe="dlviz.recipes.caltech_cnn:train",
        metrics=_caltech_metrics(measured),
        per_class=measured.get("per_class", {}),
        parameters=measured.get("parameters", 0),
    )


def _caltech_metrics(measured: Mapping[str, Any]) -> tuple[Metric, ...]:
    photos = {"photos": measured.get("test_photos", 0)}
    return tuple(
        Metric(title, measured[key], Sentence(how, photos))
        for key, title, how in _CALTECH_METRICS
        if key in measured
    )


_CALTECH_METRICS = (
    ("top1", _TOP1, N_("Share of the {photos} Caltech-101 test photos whose first answer is right.")),
    (
        "top5",
        _TOP5,
        N_("Share of the {photos} Caltech-101 test photos with the right name among the first five answers."),
    ),
    (
        "mean_class_accuracy",
        N_("Mean accuracy of the classes"),
        N_("Each of the 101 classes counts the same, however many of the {photos} test photos are its own."),
    ),
)


def _word_vectors(name: str) -> ModelCard:
    folder = bundled_dir(name)
    return word_cards.bundled_card(name, folder, _facts(folder))


def _untrained_cnn(name: str) -> ModelCard:
    """The bundled network before its training: nothing to download or to verify but the class names."""
    trained = _caltech_cnn("caltech-cnn")
    seed = _facts(trained.folder).metrics.get("seed", 0)
    return replace(
        trained,
        name=name,
        title=N_("Our residual CNN before training"),
        files=tuple(file for file in trained.files if file.name == "classes.json"),
        training_data=Sentence(
            N_("Nothing: its weights are as they were drawn, from seed {seed}."), {"seed": seed}
        ),
        fails=Sentence(
            N_("It has learnt nothing: its answers are chance. It is here to be set beside the trained one.")
        ),
        builder="dlviz.vision.classifier:untrained_residual_cnn",
        options={**trained.options, "seed": seed},
        recipe="",
        metrics=(),
        per_class={},
    )


def _autoencoder(name: str) -> ModelCard:
    folder = bundled_dir(name)
    return vae_cards.vae_card(name, folder, _facts(folder))


def _language(name: str) -> ModelCard:
    folder = bundled_dir(name)
    return language_cards.card(name, folder, _facts(folder))


_BUNDLED: dict[str, Callable[[str], ModelCard]] = {
    "caltech-cnn": _caltech_cnn,
    "caltech-cnn-untrained": _untrained_cnn,
    **dict.fromkeys(vae_cards.NAMES, _autoencoder),
    **dict.fromkeys(word_cards.NAMES, _word_vectors),
    **dict.fromkeys(language_cards.NAMES, _language),
}


def _facts(folder: Path) -> Facts:
    """The measured half of a bundled card; nothing of it where ``card.json`` is damaged or missing."""
    try:
        return read_facts(folder)
    except (ValueError, KeyError, TypeError):
        return Facts()


@cache
def _torchvision_card(name: str, folder: Path) -> ModelCard:
    """Address, checksum, size and accuracy as torchvision itself states them; none is typed here."""
    from torchvision import models

    title, architecture, fails = _TORCHVISION[name]
    weights = models.get_model_weights(name)[_WEIGHTS]
    meta, test = weights.meta, weights.transforms()
    file_name = weights.url.rsplit("/", 1)[-1]
    file = CardFile(
        file_name,
        size=int(meta["_file_size"] * 2**20),
        sha256_prefix=file_name.rsplit("-", 1)[-1].split(".")[0],
        url=weights.url,
    )
    return ModelCard(
        name=name,
        title=title,
        task=CLASSIFICATION,
        architecture=architecture,
        source="public",
        folder=folder,
        files=(file,),
        licence=Sentence(_TORCHVISION_LICENCE),
        training_data=Sentence(N_("ImageNet-1K: 1.28 million photos of 1,000 classes.")),
        input=Sentence(_CROP, {"resize": test.resize_size[0], "size": test.crop_size[0]}),
        fails=Sentence(fails),
        builder="dlviz.vision.classifier:torchvision_classifier",
        options={"name": name, "weights": _WEIGHTS},
        recipe=meta["recipe"],
        metrics=_torchvision_metrics(meta["_metrics"]["ImageNet-1K"]),
        parameters=meta["num_params"],
    )


def _torchvision_metrics(published: Mapping[str, float]) -> tuple[Metric, ...]:
    photos = {"photos": 50000}
    first = N_(
        "Share of the {photos} ImageNet validation photos whose first answer is right (from torchvision)."
    )
    five = N_(
        "Share of the {photos} ImageNet validation photos with the right name among the first five answers "
        "(from torchvision)."
    )
    return (
        Metric(_TOP1, published["acc@1"] / 100, Sentence(first, photos)),
        Metric(_TOP5, published["acc@5"] / 100, Sentence(five, photos)),
    )


def _folders() -> dict[str, Path]:
    """The operator's own folders (``DLVIZ_MODEL_DIRS``), each a model named after its folder."""
    return {f"folder-{folder.name}": folder for folder in settings().model_dirs}


def _folder_card(name: str, folder: Path) -> ModelCard:
    """A local checkpoint: nothing is known about it but what its ``config.json`` says."""
    if vectors := word_cards.vectors_file(folder):
        return word_cards.folder_card(name, vectors)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = config.get("weights", "model.safetensors")
        sizes = {n: (folder / n).stat().st_size for n in ("config.json", weights) if (folder / n).exists()}
        files = tuple(CardFile(n, sizes.get(n, 0)) for n in ("config.json", weights))
    except (OSError, ValueError, AttributeError):
        config, files = {}, ()
    if transformer_cards.is_transformer(config):
        return transformer_cards.folder_card(name, folder, config)
    unknown = Sentence(N_("Not stated: this model comes from a folder of the server's operator."))
    return ModelCard(
        name=name,
        title=folder.name,
        task=CLASSIFICATION,
        architecture=str(config.get("architecture", "")),
        source="folder",
        folder=folder,
        files=files,
        licence=unknown,
        training_data=unknown,
        input=unknown,
        fails=unknown,
        builder="dlviz.vision.classifier:folder_classifier",
    )
