"""The VAE page's request beside the bare encoder and decoder, in one run: ``python -m benchmarks.vae``.

From the pixels of a canvas or a photo to the Gaussian (whose ellipse the browser draws), the reconstruction and the
two terms, against the same network asked for the same number of codes and pictures with nothing around it. The candidates take turns within
each round and every ratio is taken within its round, so that whatever else the machine does falls on all of them. The
model is the bundled one; where its weights are not there, the same network with random ones, whose arithmetic is the same.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from benchmarks.cnn_filters import fastest, measured, ratio
from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.vision import vae, vae_input, vae_map, vae_terms
from dlviz.vision.vae_network import ConvVAE

ALLOWED = 1.5
"""The page's request may take this many times the bare encode and decode."""

DRAWS = 32
BARE = "encode 1, decode 1 + 32 draws"
WHOLE = "dlviz: canvas to Gaussian and both terms"
PHOTO = "dlviz: the same from a photo"

Candidate = Callable[[], object]


def network(name: str) -> tuple[ConvVAE, str]:
    """The bundled model, or one of the same shape."""
    try:
        model = zoo.load(name)
    except (DlvizError, KeyError):
        torch.manual_seed(0)
        return ConvVAE().eval().requires_grad_(False), "random weights"
    assert isinstance(model, ConvVAE)
    return model, name


def drawing(side: int = 112) -> np.ndarray:
    """A digit as the canvas hands it over: grey levels, white on black."""
    digit = Image.fromarray(vae_input.sample_digits().images[3])
    return np.asarray(digit.resize((side, side), Image.Resampling.BICUBIC))


def photo() -> np.ndarray:
    """The same in ink on paper, in light that falls off to one side, with the camera's noise."""
    ink = drawing(400) / 255
    light = 235 * (1 - 0.5 * np.linspace(0, 1, 640)[None] * np.ones((480, 1)))
    paper = np.ones((480, 640))
    paper[40:440, 120:520] -= 0.7 * ink
    noise = np.random.default_rng(0).normal(0, 5, (480, 640))
    return np.repeat(np.clip(light * paper + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def request(model: ConvVAE, image: np.ndarray) -> object:
    """What the page asks for after a stroke of the pen."""
    return vae_terms.survey(model, vae_input.prepare(image).pixels, draws=DRAWS)


def candidates(model: ConvVAE) -> dict[str, Candidate]:
    """What is timed. The bare calls are those that the request needs: one code, its picture and its draws'."""
    canvas, paper = drawing(), photo()
    pixels = torch.from_numpy(vae_input.prepare(canvas).pixels.copy())[None, None].float() / 255
    codes = torch.randn(1 + DRAWS, model.latent)

    def bare() -> object:
        with torch.no_grad():
            return model.encode(pixels), model.decode(codes)

    def one_way() -> object:
        with torch.no_grad():
            return model.decode(model.encode(pixels)[0])

    picture = vae_input.prepare(canvas).pixels
    return {
        BARE: bare,
        WHOLE: lambda: request(model, canvas),
        PHOTO: lambda: request(model, paper),
        "encode 1, decode 1": one_way,
        "dlviz: locate": lambda: vae.locate(model, picture),
        "dlviz: prepare, canvas": lambda: vae_input.prepare(canvas),
        "dlviz: prepare, photo": lambda: vae_input.prepare(paper),
        "dlviz: plane of 20 x 20": lambda: vae_map.plane(model, extent=(-3, 3, -3, 3)),
    }


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--model", default="mnist-vae-2d")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    model, name = network(chosen.model)
    print(
        f"torch {torch.__version__}, {chosen.threads} threads, {name}, {chosen.rounds} rounds, {DRAWS} draws"
    )
    spent = measured(candidates(model), chosen.rounds)
    for what, times in spent.items():
        print(f"  {what:42s} median {statistics.median(times):7.2f} ms, fastest {min(times):7.2f} ms")
    found = ratio(spent, WHOLE, BARE)
    kept = "kept" if found <= ALLOWED else "NOT KEPT"
    print(
        f"  {WHOLE} / {BARE} = {found:.2f} (fastest rounds {fastest(spent, WHOLE, BARE):.2f}), at most {ALLOWED}: {kept}"
    )


if __name__ == "__main__":
    main()
