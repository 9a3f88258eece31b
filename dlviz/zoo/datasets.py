"""Data sets that the bundled models were trained on, from a local folder or from their public homes."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.settings import settings

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Photos of one split, decoded when asked for: `image(i)` is RGB bytes `(height, width, 3)`."""

    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: np.ndarray
    image: Callable[[int], np.ndarray]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        return ((self.image(i), int(self.labels[i])) for i in range(len(self)))


def data_root(folder: Path | None = None) -> Path:
    """Where data sets are looked for: `folder`, else `DLVIZ_DATA_DIR`, else a folder of dlviz's own home."""
    return Path(folder or settings().data_dir or settings().home / "data")


def caltech101(split: Split, folder: Path | None = None, *, download: bool = False) -> LabelledImages:
    """Caltech-101 without its background class: 101 classes, 5,784 photos to train on and 2,893 to test.

    Fei-Fei, Fergus, Perona, *Learning generative visual models from few training examples* (2004), CC BY 4.0.
    Two homes are known below the data folder. `caltech101/caltech101_128_jpeg.npz` holds the photos with
    their longest side brought to 128, and the lists `train.txt` and `test.txt` beside it: the bundled model
    was trained on these. `caltech101/101_ObjectCategories/` is what torchvision downloads: the same photos in
    their own size, with the same split, so that figures come out close to ours but not equal.

    Raises
    ------
    NotAvailable
        Neither home is there and `download` is false, or the server is offline.
    """
    root = data_root(folder)
    archive = root / "caltech101" / "caltech101_128_jpeg.npz"
    if archive.exists():
        return _caltech101_archive(archive, split)
    allowed = download and not settings().offline
    if allowed or (root / "caltech101" / "101_ObjectCategories").is_dir():
        return _caltech101_torchvision(root, split, allowed)
    raise NotAvailable(
        N_(
            "The data set {dataset} is not in {folder}. Point DLVIZ_DATA_DIR to a folder that holds it, "
            "or allow its download (option --download of the recipe)."
        ),
        dataset="Caltech-101",
        folder=str(root),
    )


@dataclass(frozen=True, slots=True)
class GreyImages:
    """Small grey pictures of one split, all in memory: bytes `(picture, 28, 28)`, labels `(picture,)`."""

    classes: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


_IDX_SETS = {
    "mnist": ("MNIST", tuple("0123456789")),
    "fashion-mnist": (
        "FashionMNIST",
        (
            "T-shirt",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
}


def grey_images(name: str, split: Split, folder: Path | None = None, *, download: bool = False) -> GreyImages:
    """MNIST (`"mnist"`) or Fashion-MNIST (`"fashion-mnist"`): 60,000 pictures to train on, 10,000 to test.

    LeCun, Bottou, Bengio, Haffner, *Gradient-based learning applied to document recognition* (1998); Xiao, Rasul,
    Vollgraf, *Fashion-MNIST* (2017), MIT licence. Two homes are known below the data folder: `mnist/` or
    `fashion-mnist/` with the four `.gz` files, and the folder `MNIST/raw` or `FashionMNIST/raw` that
    torchvision downloads to.

    Raises
    ------
    NotAvailable
        Neither home is there and `download` is false, or the server is offline.
    """
    home, classes = _IDX_SETS[name]
    root = data_root(folder)
    prefix = "train" if split == "train" else "t10k"
    for place in (root / name, root / home / "raw"):
        files = [place / f"{prefix}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
        if all(file.exists() for file in files):
            images, labels = (_read_idx(file) for file in files)
            return GreyImages(classes, images, labels.astype(np.int64))
    if download and not settings().offline:
        from torchvision import datasets

        getattr(datasets, home)(str(root), train=split == "train", download=True)
        return grey_images(name, split, root)
    raise NotAvailable(
        N_(
            "The data set {dataset} is not in {folder}. Point DLVIZ_DATA_DIR to a folder that holds it, "
            "or allow its download (option --download of the recipe)."
        ),
        dataset=home,
        folder=str(root),
    )


def _read_idx(path: Path) -> np.ndarray:
    """An array of the IDX format: two zero bytes, the type (8: bytes), the number of axes, their sizes."""
    data = gzip.decompress(path.read_bytes())
    axes = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=axes, offset=4)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def split_by_thirds(names: list[str], split: Split) -> tuple[str, ...]:
    """The split of Caltech-101's public lists: in the order of lower-case names, every third is a test photo.

    >>> split_by_thirds(["Faces/1", "ant/1", "ant/2", "ant/3"], "test")
    ('ant/1', 'Faces/1')
    """
    ordered = sorted(names, key=lambda name: (name.split("/")[0].lower(), name))
    return tuple(name for i, name in enumerate(ordered) if (i % 3 == 0) == (split == "test"))


def decode(data: bytes) -> np.ndarray:
    """RGB bytes `(height, width, 3)` of an encoded picture."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _caltech101_archive(archive: Path, split: Split) -> LabelledImages:
    with np.load(archive) as stored:
        data, offsets, all_labels = stored["data"], stored["offsets"], stored["labels"]
        all_names = [name.decode() for name in stored["names"]]
        classes = tuple(str(name) for name in stored["classes"])
    position = {name: i for i, name in enumerate(all_names)}
    listed = (archive.parent / f"{split}.txt").read_text().split()
    # The public lists also name the background class, which is not in the archive.
    chosen = [position[name] for name in listed if name in position]

    def image(i: int) -> np.ndarray:
        start, stop = offsets[chosen[i]], offsets[chosen[i] + 1]
        return decode(data[start:stop].tobytes())

    names = tuple(all_names[i] for i in chosen)
    return LabelledImages(classes, names, all_labels[chosen].astype(np.int64), image)


def _caltech101_torchvision(root: Path, split: Split, download: bool) -> LabelledImages:
    from torchvision.datasets import Caltech101

    source = Caltech101(str(root), download=download)
    folder = Path(source.root) / "101_ObjectCategories"
    names = [
        f"{source.categories[label]}/image_{number:04d}.jpg"
        for label, number in zip(source.y, source.index, strict=True)
    ]
    chosen = split_by_thirds(names, split)
    labels = np.array([source.categories.index(name.split("/")[0]) for name in chosen], dtype=np.int64)
    return LabelledImages(
        tuple(source.categories), chosen, labels, lambda i: decode((folder / chosen[i]).read_bytes())
    )
