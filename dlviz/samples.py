"""Photos that come inside the wheels of scikit-image and scikit-learn: no download, no import of either."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.intake import Photo, photo


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo to begin with: its code in links, its title, where it stands and whom to thank."""

    code: str
    title: str
    package: str
    path: str
    credit: str
    licence: str


SAMPLES = {
    entry.code: entry
    for entry in (
        Sample("chelsea", N_("Chelsea the cat"), "skimage", "data/chelsea.png", "Stéfan van der Walt", "CC0"),
        Sample(
            "motorcycle",
            N_("A motorcycle"),
            "skimage",
            "data/motorcycle_left.png",
            "D. Scharstein et al., Middlebury Stereo Datasets, 2014",
            N_("terms not stated, shipped with scikit-image"),
        ),
        Sample("coffee", N_("A cup of coffee"), "skimage", "data/coffee.png", "Rachel Michetti", "CC0"),
        Sample(
            "flower",
            N_("A flower"),
            "sklearn",
            "datasets/images/flower.jpg",
            "vultilion, Flickr",
            "CC BY 2.0",
        ),
        Sample(
            "china",
            N_("A Chinese pavilion"),
            "sklearn",
            "datasets/images/china.jpg",
            "danielbuechele, Flickr",
            "CC BY 2.0",
        ),
        Sample(
            "astronaut",
            N_("Eileen Collins, astronaut"),
            "skimage",
            "data/astronaut.png",
            "NASA",
            N_("public domain"),
        ),
        Sample("rocket", N_("A rocket"), "skimage", "data/rocket.jpg", "SpaceX", N_("public domain")),
        Sample("camera", N_("A photographer, in grey"), "skimage", "data/camera.png", "Lav Varshney", "CC0"),
    )
}
PHOTOS = tuple(SAMPLES)


def sample(code: str) -> Sample:
    """The sample of that code; ``KeyError`` if there is none."""
    return SAMPLES[code]


@cache
def load(code: str) -> Photo:
    """The sample's picture, read once for all visitors (its pixels are read-only).

    Raises
    ------
    NotAvailable
        If the installed package does not hold the file.
    """
    entry = SAMPLES[code]
    file = _file(entry)
    if file is None:
        raise NotAvailable(
            N_("The sample {path} is missing from the installed package {package}."),
            path=entry.path,
            package=entry.package,
        )
    return photo(file.read_bytes(), file.name)


def _file(entry: Sample) -> Path | None:
    spec = importlib.util.find_spec(entry.package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((file for folder in folders if (file := Path(folder) / entry.path).is_file()), None)
