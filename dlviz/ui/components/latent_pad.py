"""A latent space of two dimensions as a map: drag a point, and the decoded picture follows in the browser."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import streamlit as st

from dlviz.figures.cell_explorer import pack
from dlviz.figures.palette import CLASSES
from dlviz.ui.components import bytes_once, component
from dlviz.ui.controls import hidden_field
from dlviz.ui.language import _, current

COLOURS = CLASSES
"""One colour a class, by index."""

DIGITS = 4
"""Digits after the point of a place: the link holds exactly what the server decodes."""

FARTHEST = 1000.0
MOST_STEPS = 400

Extent = tuple[float, float, float, float]
Place = tuple[float, float]

HTML = """
<div class="pad">
  <div class="title"></div>
  <div class="columns">
    <div class="left">
      <div class="map">
        <canvas class="ground"></canvas><canvas class="over"></canvas>
        <div class="handle" tabindex="0" role="slider" aria-valuemin="-1000" aria-valuemax="1000"></div>
      </div>
      <div class="legend" role="group"></div>
    </div>
    <div class="side">
      <canvas class="picture" width="28" height="28" role="img"></canvas>
      <p class="z"></p>
      <p class="state"></p>
      <div class="buttons">
        <button type="button" class="undo"></button>
        <button type="button" class="home"></button>
        <button type="button" class="replay"></button>
      </div>
      <p class="walked"></p>
      <div class="pointed"><canvas class="other" width="28" height="28"></canvas><p class="who"></p></div>
    </div>
  </div>
  <p class="hint"></p>
</div>
"""

_pad = component("latent_pad", html=HTML, after=("pictures", "depot"))


class Layer(Protocol):
    """A layer of a decoder: ``linear``, ``silu``, ``unflatten`` or ``deconvolution``."""

    @property
    def kind(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def weight(self) -> np.ndarray: ...
    @property
    def bias(self) -> np.ndarray: ...
    @property
    def stride(self) -> int: ...
    @property
    def padding(self) -> int: ...


class Decoder(Protocol):
    """A decoder as its layers, in half precision."""

    @property
    def latent(self) -> int: ...
    @property
    def layers(self) -> Sequence[Layer]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Where one picture lands: ellipses at one and two ``sigma`` around ``mean``, and samples ``draw 2``."""

    mean: np.ndarray
    sigma: np.ndarray
    samples: np.ndarray
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A picture behind the points: ``uint8``, ``height width`` or ``height width 3``; row 0 is the top."""

    pixels: np.ndarray
    extent: Extent
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Pad:
    """Where the visitor let the point go, and the walk there, ``step 2``."""

    z: Place
    walk: np.ndarray


def latent_pad(
    key: str,
    *,
    points: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    decoder: Decoder,
    start: Place = (0.0, 0.0),
    posterior: Posterior | None = None,
    background: Background | None = None,
    extent: Extent | None = None,
    exact: Callable[[Place], np.ndarray] | None = None,
    plane: tuple[np.ndarray, np.ndarray] | None = None,
    title: str = "",
    axes: tuple[str, str] = ("z₁", "z₂"),
    height: float = 30.0,
    follow: str | None = None,
) -> Pad:
    """Show the map with a point to drag; the decoded picture follows without the server.

    Parameters
    ----------
    key
        ``<stem>_<name>``: the point's place in the URL; the widget is ``<key>_pad``.
    points, labels, classes
        Places ``point 2`` of known pictures, the class of each (-1: none), and the classes' names in the
        visitor's language.
    decoder
        What the browser decodes with (``dlviz.vision.vae_browser.decoder_payload``); sent once.
    start
        Where the point stands when the link says nothing.
    posterior, background
        What else is on the map.
    extent
        Left, right, bottom, top; from the points if left out.
    exact
        Gives the server's own picture, ``uint8 28 28``, of a place; shown once the point is let go.
    plane
        For a decoder of more dimensions: an origin and two axes, ``z = origin + x * axes[0] + y * axes[1]``.
    title, axes
        Names in the visitor's language.
    height
        Height of the map in rem.
    follow
        When this changes, for instance with another picture, the point goes to ``start`` and the walk ends.
    """
    _restart(key, follow)
    home = st.session_state[f"{key}_start"] = _pair(start) or (0.0, 0.0)
    z = _checked(hidden_field(key, _("Place in the link")), home)
    extent = extent or _around(points, posterior)
    map_digest = bytes_once.send(f"{key}_map", pack({}, {"points": _floats(points), "labels": _ints(labels)}))
    decoder_digest = bytes_once.send(f"{key}_decoder", decoder_block(decoder))
    ground = None if background is None else _background(key, background)
    _pad(
        key=f"{key}_pad",
        data={
            "lang": current(),
            "words": _words(),
            "title": title,
            "axes": axes,
            "height": height,
            "map": map_digest,
            "decoder": decoder_digest,
            "background": ground,
            "extent": [float(side) for side in extent],
            "classes": list(classes),
            "colours": COLOURS,
            "posterior": _posterior(posterior),
            "plane": None if plane is None else [np.asarray(part, float).tolist() for part in plane],
            "z": z,
            "turn": _turn(key, z),
            "walk": st.session_state.get(f"{key}_walk", []),
            "exact": None if exact is None else _picture(exact(z)),
        },
        on_place_change=lambda: _let_go(key),
    )
    walk = np.array(st.session_state.get(f"{key}_walk", []), float).reshape(-1, 2)
    return Pad(z, walk)


def where(key: str, start: Place = (0.0, 0.0)) -> Place:
    """Where the point stands, for what comes before the map on the page."""
    return _read(str(st.session_state.get(key, st.query_params.get(key, "")))) or _pair(start) or (0.0, 0.0)


def decoder_block(decoder: Decoder) -> bytes:
    """A decoder as one block of bytes; half-precision numbers travel as their bytes."""
    layers, arrays = [], {}
    for index, layer in enumerate(decoder.layers):
        layers.append(
            {"kind": layer.kind, "shape": layer.shape, "stride": layer.stride, "padding": layer.padding}
        )
        layers[-1]["weight_shape"] = layer.weight.shape
        for name, values in (("weight", layer.weight), ("bias", layer.bias)):
            if values.size:
                arrays[f"{name}{index}"] = np.frombuffer(values.astype("<f2").tobytes(), np.uint8)
    return pack({"latent": decoder.latent, "layers": layers}, arrays)


def _restart(key: str, follow: str | None) -> None:
    state = st.session_state
    before = state.get(f"{key}_follow", follow)
    state[f"{key}_follow"] = follow
    if before != follow:
        state[key] = ""
        state[f"{key}_walk"] = []
        state[f"{key}_held"] = None


def _let_go(key: str) -> None:
    """Take where the browser says that the point was let go, and the walk there."""
    told = (st.session_state.get(f"{key}_pad") or {}).get("place") or {}
    z, walk = _pair(told.get("z")), told.get("walk")
    if z is None or not isinstance(walk, list):
        return
    steps = [_pair(step) for step in walk[-MOST_STEPS:]]
    st.session_state[f"{key}_walk"] = [step for step in steps if step is not None]
    st.session_state[key] = "" if z == st.session_state.get(f"{key}_start") else _written(z)
    st.session_state[f"{key}_held"] = z


def _turn(key: str, z: Place) -> int:
    """A number that changes when the point was moved by something else than the visitor's hand."""
    state = st.session_state
    if state.get(f"{key}_held") != z:
        state[f"{key}_held"] = z
        state[f"{key}_turn"] = state.get(f"{key}_turn", 0) + 1
    return int(state.get(f"{key}_turn", 0))


def _written(z: Place) -> str:
    return ",".join(f"{x:.{DIGITS}f}".rstrip("0").rstrip(".") for x in z)


def _checked(link: str, home: Place) -> Place:
    z = _read(link)
    if link and z is None:
        st.warning(
            _("The link names no place on the map: the point stands where it would without it."),
            icon=":material/block:",
        )
    return z or home


def _read(link: str) -> Place | None:
    try:
        return _pair([float(part) for part in link.split(",")]) if link.isascii() else None
    except ValueError:
        return None


def _pair(told: Any) -> Place | None:
    """Two finite numbers on the map's scale, or None."""
    try:
        x, y = (round(float(part), DIGITS) + 0.0 for part in told)
    except (TypeError, ValueError, OverflowError):
        return None
    return (x, y) if max(abs(x), abs(y)) <= FARTHEST else None


def _around(points: np.ndarray, posterior: Posterior | None) -> Extent:
    """A square that holds nearly all points, and the visitor's picture."""
    places = np.asarray(points, float).reshape(-1, 2)
    low, high = (
        np.quantile(places, [0.0025, 0.9975], axis=0) if len(places) else (-3 * np.ones(2), 3 * np.ones(2))
    )
    if posterior is not None:
        reach = 2.2 * np.asarray(posterior.sigma, float)
        low, high = np.minimum(low, posterior.mean - reach), np.maximum(high, posterior.mean + reach)
    middle, half = (low + high) / 2, 0.54 * float(max(high - low))
    return tuple(float(x) for k in (0, 1) for x in (middle[k] - half, middle[k] + half))  # type: ignore[return-value]


def _background(key: str, background: Background) -> dict[str, Any]:
    pixels = np.ascontiguousarray(background.pixels)
    digest = bytes_once.send(f"{key}_background", pack({}, {"pixels": pixels}))
    return {"digest": digest, "extent": [float(x) for x in background.extent], "name": background.name}


def _posterior(posterior: Posterior | None) -> dict[str, Any] | None:
    if posterior is None:
        return None
    samples = np.round(np.asarray(posterior.samples, float).reshape(-1, 2), DIGITS)
    return {
        "mean": [float(x) for x in posterior.mean],
        "sigma": [float(x) for x in posterior.sigma],
        "samples": samples.tolist(),
        "name": posterior.name,
    }


def _picture(pixels: np.ndarray) -> str:
    if pixels.dtype != np.uint8 or pixels.shape != (28, 28):
        raise ValueError("The exact picture is uint8, 28 x 28.")
    return base64.b64encode(pixels.tobytes()).decode()


def _floats(points: np.ndarray) -> np.ndarray:
    return np.asarray(points, np.float32).reshape(-1, 2)


def _ints(labels: np.ndarray) -> np.ndarray:
    return np.asarray(labels, np.int32).ravel()


def _words() -> dict[str, str]:
    return {
        "preview": _("Decoded in your browser: a preview"),
        "exact": _("Decoded by the server: exact"),
        "waiting": _("The decoder is on its way…"),
        "undo": _("Undo the last walk"),
        "home": _("Back to the start of the walk"),
        "replay": _("Replay the walk"),
        "stop": _("Stop"),
        "walked": _("Places on the walk: {count}"),
        "all": _("All classes"),
        "legend": _("Classes on the map"),
        "who": _("A test picture of the class {name}, decoded from its code"),
        "nobody": _("A test picture, decoded from its code"),
        "handle": _("The point z on the map"),
        "picture": _("The picture decoded at z"),
        "hint": _(
            "Drag the point, or click where it should go; with the keyboard, the arrow keys move it, finely with"
            " Shift. Hover a dot to see what it decodes to."
        ),
    }
