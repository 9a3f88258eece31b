"""What does a filter look for? Climb the gradient from noise to a picture that it answers strongly."""

from __future__ import annotations

import math
import threading
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.i18n import N_
from dlviz.vision.attention_relevance import attention_layers
from dlviz.vision.attribution_results import Dream, DreamFrame
from dlviz.vision.classifier import Classifier

Unit = Literal["channel", "cell"]

# How the colours of natural photos vary together: the square root of their covariance over ImageNet, as in
# lucid (github.com/tensorflow/lucid, optvis/param/color.py, Apache 2.0), divided by its longest column.
COLOUR_CORRELATION = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]) / math.sqrt(
    0.2134
)


def maximise(
    model: Classifier,
    *,
    layer: str,
    channel: int,
    steps: int = 128,
    seed: int = 0,
    size: int | None = None,
    rate: float = 0.05,
    unit: Unit = "channel",
    robust: bool = True,
    frame_every: int = 4,
) -> Work:
    r"""Find a picture that makes one filter answer as strongly as possible.

    $$ x^* = \arg\max_x\; \mathbb{E}_{\tau}\Bigl[\frac{1}{HW} \sum_{i,j} A_{k,ij}\bigl(\tau(x)\bigr)\Bigr] $$

    Olah, Mordvintsev, Schubert, *Feature Visualization* (Distill, 2017). Climbing over bare pixels ends
    in a pattern of high frequencies that no photo has. Two remedies are theirs: the unknown is the
    picture's Fourier spectrum, scaled so that all frequencies of a natural photo move at the same pace,
    in colours that vary independently; and each step shifts, turns and scales the picture a little
    ($\tau$), so that only what survives this is rewarded. The ascent is Adam's.

    Args:
        model: the classifier.
        layer: dotted name of a module of `model.network`.
        channel: index of the filter: of the map, of the token's feature, or of the class.
        steps: gradient steps.
        seed: of the first noise and of the shaking; same seed, same picture.
        size: side of the picture in pixels; what the network was trained on, at most 112, if not given.
            Transformers take only their own size.
        rate: Adam's learning rate, in units of the scaled spectrum.
        unit: `"channel"` climbs the mean over the map, and gives a texture; `"cell"` its central
            cell, and shows how much of the photo that cell sees.
        robust: whether to shake the picture. Without it the noise comes back: worth a look.
        frame_every: steps between two pictures.

    Yields:
        `Progress` after each step, a `Frame` with a `DreamFrame` now and then, and a `Result` with the
        `Dream`.

    Raises:
        Refused: there is no such layer or channel.
    """
    module = _module(model, layer)
    trained = model.preprocessing.size
    side = size or (trained if attention_layers(model) else min(trained, 112))
    random = torch.Generator().manual_seed(seed)
    device = next(model.parameters()).device
    spectrum = (torch.randn(3, side, side // 2 + 1, 2, generator=random) * 0.01).to(device).requires_grad_()
    ascent = torch.optim.Adam([spectrum], lr=rate, maximize=True)
    first = _still_answer(model, module, spectrum, side, channel, unit)
    answers: list[float] = []
    for step in range(steps):
        with torch.enable_grad():
            shown = picture(spectrum, side)
            shaken = shake(shown, random) if robust else shown
            answer, goal = _answer(model, module, shaken, channel, unit)
            (spectrum.grad,) = torch.autograd.grad(goal, spectrum)
        ascent.step()
        answers.append(answer)
        yield Progress(step + 1, steps)
        if step % frame_every == 0:
            yield Frame(DreamFrame(_bytes(shown), answer, step))
    last = _still_answer(model, module, spectrum, side, channel, unit)
    image = _bytes(picture(spectrum, side))
    yield Result(Dream(image, np.array(answers, np.float32), first, last, layer, channel, seed))


def picture(spectrum: Float[Tensor, "3 height half_width 2"], side: int) -> Float[Tensor, "1 3 height width"]:
    r"""The picture of a spectrum, values between 0 and 1.

    $$ x = \sigma\Bigl(C\; \mathcal{F}^{-1}\bigl(s_f / \max(f, 1/N)\bigr)\Bigr) $$

    Natural photos have amplitudes that fall as $1/f$; dividing by $f$ lets the ascent spend itself on all
    frequencies alike. $C$ mixes three independent colours into red, green and blue as photos do, and the
    sigmoid $\sigma$ keeps every value a colour that a screen can show.
    """
    down = torch.fft.fftfreq(side, device=spectrum.device)[:, None]
    across = torch.fft.rfftfreq(side, device=spectrum.device)[None]
    frequency = torch.sqrt(down**2 + across**2).clamp(min=1 / side)
    scaled = torch.view_as_complex(spectrum) * (side / frequency)
    plain = torch.fft.irfft2(scaled, s=(side, side)) / 4
    mixed = torch.einsum("dc,chw->dhw", COLOUR_CORRELATION.to(spectrum.device), plain)
    return mixed.sigmoid()[None]


def shake(
    image: Float[Tensor, "1 3 height width"], random: torch.Generator
) -> Float[Tensor, "1 3 height width"]:
    """Turn by up to 10 degrees, scale by up to 10 %, shift by up to 1/16 of the side; mirrored edges."""
    turn, zoom, right, down = (torch.rand(4, generator=random) * 2 - 1).tolist()
    angle, factor = math.radians(10 * turn), 1.1**zoom
    cosine, sine = factor * math.cos(angle), factor * math.sin(angle)
    # grid_sample's positions run from -1 to 1: 1/16 of the side is 1/8 there.
    matrix = torch.tensor([[[cosine, -sine, right / 8], [sine, cosine, down / 8]]], device=image.device)
    grid = F.affine_grid(matrix, list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


class _Reached(Exception):
    """The layer has answered; what comes after it need not be computed."""

    def __init__(self, output: Tensor) -> None:
        self.output = output


def _output(model: Classifier, module: nn.Module, image: Float[Tensor, "1 3 height width"]) -> Tensor:
    """The layer's output for a picture with values between 0 and 1; of a ReLU, what goes into it."""
    thread = threading.get_ident()

    def reached(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | None = None) -> None:
        if threading.get_ident() == thread:
            raise _Reached(inputs[0] if output is None else output)

    mean, std = (
        torch.tensor(values, device=image.device).view(1, 3, 1, 1)
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    relu = isinstance(module, nn.ReLU)
    handle = module.register_forward_pre_hook(reached) if relu else module.register_forward_hook(reached)
    try:
        model(((image - mean) / std).to(next(model.parameters()).dtype))
    except _Reached as stop:
        return stop.output[0]
    finally:
        handle.remove()
    raise Refused(N_("This layer takes no part in the forward pass."))


def _answer(
    model: Classifier, module: nn.Module, image: Float[Tensor, "1 3 height width"], channel: int, unit: Unit
) -> tuple[float, Float[Tensor, ""]]:
    """How strongly the filter answers, and what to climb.

    The two differ for a ReLU only: there the goal has a slope of 0.1 below zero, without which a
    filter that is silent at the start would have no gradient to wake up by.
    """
    cells = _cells(_output(model, module, image), module, channel)
    if unit == "cell" and cells.ndim == 2:
        cells = cells[cells.shape[0] // 2, cells.shape[1] // 2]
    if isinstance(module, nn.ReLU):
        return float(cells.detach().relu().mean()), F.leaky_relu(cells, 0.1).mean()
    return float(cells.detach().mean()), cells.mean()


def _cells(output: Tensor, module: nn.Module, channel: int) -> Tensor:
    """The filter's own numbers: a map, a feature of all tokens, or one class score."""
    channels_first = output.ndim == 3 and not isinstance(module, (nn.Linear, nn.LayerNorm))
    by_channel = output if channels_first else output.movedim(-1, 0)
    if not 0 <= channel < len(by_channel):
        raise Refused(N_("This layer has no channel number {channel}."), channel=channel)
    return by_channel[channel]


def _still_answer(
    model: Classifier, module: nn.Module, spectrum: Tensor, side: int, channel: int, unit: Unit
) -> float:
    with torch.no_grad():
        return _answer(model, module, picture(spectrum, side), channel, unit)[0]


def _module(model: Classifier, layer: str) -> nn.Module:
    try:
        return model.network.get_submodule(layer)
    except AttributeError:
        raise Refused(N_("This network has no layer named {layer}."), layer=layer) from None


def _bytes(image: Float[Tensor, "1 3 height width"]) -> UInt8[np.ndarray, "height width 3"]:
    pixels = (image.detach()[0].permute(1, 2, 0) * 255).round().clamp(0, 255)
    return pixels.to("cpu", torch.uint8).numpy()
