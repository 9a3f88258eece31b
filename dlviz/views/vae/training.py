"""Train a small VAE here: the map redrawn while it learns, on the data set, on digits, or on a zip of pictures."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from safetensors.numpy import save

from dlviz.errors import DlvizError, NotAvailable
from dlviz.figures import mosaic
from dlviz.figures import vae as figures
from dlviz.intake import archives
from dlviz.settings import settings
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.language import _, number, say
from dlviz.ui.snippet import Source
from dlviz.ui.uploaded import arrived, forget
from dlviz.views.vae import inputs
from dlviz.views.vae.networks import KEPT
from dlviz.views.vae.scene import Scene
from dlviz.vision import vae, vae_input, vae_training
from dlviz.vision.vae_results import GreySet, LiveFrame, LiveTraining
from dlviz.zoo import datasets

PICTURES = 6000
"""Pictures of a data set that a live training uses: a few hundred steps see no more."""

LEAST = 50
"""Pictures of one's own that are enough to train on."""

BETAS = {"0.25": 0.25, "1": 1.0, "4": 4.0}
_ZIP, _SET, _REFUSAL, _TURN = "vae_zip_bytes", "vae_zip_set", "vae_zip_refusal", "vae_zip_turn"


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained on: pictures, labels, names, how a notebook gets them, and the name of the set."""

    pictures: GreySet
    source: Source
    name: str


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    st.markdown(
        _(
            "A VAE with random weights starts here, on this server, and you watch its map take shape. It is the network "
            "of the other sections, trained for less than a minute."
        )
    )
    data = _data(scene)
    beta, steps, seed = _settings()
    if data is None:
        return
    arguments: dict[str, Any] = {"beta": beta, "steps": steps, "seed": seed}
    _maths()
    lesson.code(
        [
            (
                _("The training, step by step:"),
                vae_training.train_live,
                {"images": Source(f"{data.source.expression}.images", data.source.imports), **arguments},
            )
        ],
        model=None,
    )
    st.caption(
        _("{count} pictures, {steps} steps of 64 pictures each.", count=len(data.pictures), steps=steps)
    )
    places = _places()
    try:
        trained = compute.stream(
            vae_training.train_live,
            key="vae_training",
            label=_("Steps"),
            start=_("Start the training"),
            on_frame=lambda frame: _frame(places, frame, data, scene),
            images=data.pictures.images,
            labels=data.pictures.labels,
            **arguments,
        )
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return
    if trained is not None:
        _finished(places, trained, data, scene)


def sets() -> dict[str, str]:
    """The data sets by name, which is the same in every language."""
    return {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}


def _data(scene: Scene) -> Data | None:
    """The chosen data set, scikit-learn's digits, or the visitor's own pictures."""
    chosen = controls.choice(
        _("Train on"),
        {
            "set": sets()[scene.dataset],
            "digits": _("scikit-learn's digits"),
            "zip": _("a zip of your pictures"),
        },
        key="vae_train_on",
        wrap=True,
    )
    if chosen == "zip":
        return _from_zip()
    if chosen == "set":
        try:
            found = compute.run(datasets.grey_images, name=scene.dataset, split="train")
            return _first(found, scene.dataset)
        except NotAvailable as missing:
            st.info(say(missing), icon=":material/cloud_off:")
            st.caption(
                _(
                    "Until then the training takes what is here: scikit-learn's 1,797 digits, enlarged to 28 × 28."
                )
            )
    digits = compute.run(vae_input.sample_digits)
    source = Source("vae_input.sample_digits()", ("from dlviz.vision import vae_input",))
    return Data(digits, source, "digits")


def _first(found: datasets.GreyImages, name: str) -> Data:
    pictures = GreySet(found.images[:PICTURES], found.labels[:PICTURES], found.classes)
    source = Source(f"datasets.grey_images({name!r}, 'train')", ("from dlviz.zoo import datasets",))
    return Data(pictures, source, name)


def _from_zip() -> Data | None:
    """The visitor's own pictures, kept for the session as 28 x 28 grey levels."""
    state = st.session_state
    name = f"vae_zip_file_{state.get(_TURN, 0)}"
    limit = settings().max_upload_mb
    st.file_uploader(
        _(
            "Drop a zip of at least {least} pictures here (at most {limit} MB)",
            least=LEAST,
            limit=limit,
        ),
        key=name,
        max_upload_size=limit,
        on_change=_uploaded,
        args=(name,),
    )
    st.caption(
        _("Your pictures stay in the server's memory for this visit only, as grey squares of 28 × 28 pixels.")
    )
    if _ZIP in state:
        _read()
    if state.get(_REFUSAL) is not None:
        st.error(say(state[_REFUSAL]), icon=":material/block:")
    kept: tuple[GreySet, tuple[Any, ...], int] | None = state.get(_SET)
    if kept is None:
        return None
    _say_what_was_skipped(*kept)
    return Data(
        kept[0], Source("vae_input.thumbnails(pictures)", ("from dlviz.vision import vae_input",)), "zip"
    )


def _uploaded(widget: str) -> None:
    file = arrived(widget)
    if file is None:
        return
    st.session_state.pop(_REFUSAL, None)
    st.session_state[_ZIP] = file.getvalue()
    forget(file)
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _read() -> None:
    """Unpack the zip as a job; a refusal keeps the pictures of the last one."""
    state = st.session_state
    try:
        found = compute.stream(
            archives.read, key="vae_zip_reading", label=_("Pictures"), data=state[_ZIP], least=LEAST
        )
        if found is None:
            return
        pictures = compute.run(vae_input.thumbnails, pictures=tuple(one.pixels for one in found.pictures))
        state[_SET] = (pictures, found.skipped, found.left_out)
    except DlvizError as refusal:
        state[_REFUSAL] = refusal
    state.pop("vae_zip_reading_finished", None)
    del state[_ZIP]


def _say_what_was_skipped(pictures: GreySet, skipped: tuple[Any, ...], left_out: int) -> None:
    st.image(
        mosaic.png(mosaic.mosaic(inputs.grey(pictures.images[:24]), columns=12, enlarge=3, gap=3)),
        caption=_("{count} pictures of your own", count=len(pictures)),
        output_format="PNG",
    )
    if left_out:
        st.caption(_("{count} more pictures were left out: there are enough.", count=left_out))
    if skipped:
        with st.expander(_("{count} files were skipped", count=len(skipped))):
            for one in skipped:
                st.text(f"{one.name}: {_(one.message, **dict(one.values))}")


def _settings() -> tuple[float, int, int]:
    left, middle, right = st.columns([2, 2, 1])
    with left:
        beta = controls.choice(
            _("β, the weight of the KL"), {code: code for code in BETAS}, key="vae_train_beta", default="1"
        )
    steps = middle.slider(_("Steps"), 100, 600, 300, 100, key="vae_train_steps", bind="query-params")
    seed = right.number_input(_("Seed"), 0, 9999, 0, key="vae_train_seed", bind="query-params")
    return BETAS[beta], int(steps), int(seed)


def _places() -> dict[str, Any]:
    """Where the map, the decoded plane and the curves will stand; nothing moves when they change."""
    left, right = st.columns([3, 2], gap="large")
    return {"map": left.empty(), "plane": right.empty(), "said": right.empty(), "curves": st.empty()}


def _frame(places: dict[str, Any], frame: LiveFrame, data: Data, scene: Scene, at: str = "") -> None:
    """One moment of the training; ``at`` tells the one that is left standing from the last one that streamed."""
    at = at or str(frame.step)
    with places["map"].container():
        charts.show(
            moment(frame, data, scene), key=f"vae_live_map_{at}", alt=_("The map while it is learnt.")
        )
    if len(frame.plane.pixels):
        said = _(
            "What the decoder makes of the plane, step {step} of {steps}", step=frame.step, steps=frame.steps
        )
        places["plane"].html(inline(frame.plane.mosaic, said))
    with places["curves"].container():
        charts.show(curves(frame), key=f"vae_live_curves_{at}", alt=_("The two terms, step by step."))


def inline(pixels: np.ndarray, said: str) -> str:
    """A picture inside the page itself: the file of a frame could be gone before the browser asks for it."""
    data = base64.b64encode(mosaic.png(inputs.grey(pixels))).decode()
    return (
        f'<figure style="margin: 0"><img src="data:image/png;base64,{data}" alt="{escape(said)}" '
        'style="width: 100%; border-radius: 8px"><figcaption style="opacity: .7; font-size: .875rem; '
        f'text-align: center">{escape(said)}</figcaption></figure>'
    )


def moment(frame: LiveFrame, data: Data, scene: Scene) -> Any:
    """The map at one moment as a figure."""
    names = [str(digit) for digit in range(10)] if data.name == "digits" else scene.classes
    return figures.latent_map(
        frame.codes, frame.labels, classes=names, axes=("z<sub>1</sub>", "z<sub>2</sub>"), height=440
    )


def curves(frame: LiveFrame) -> Any:
    """The two terms of the loss so far as a figure."""
    return figures.training(
        frame.reconstruction,
        frame.kl,
        steps=frame.steps,
        names=(_("reconstruction"), "KL"),
        axes=(_("step"), _("nats a picture")),
    )


def _finished(places: dict[str, Any], trained: LiveTraining, data: Data, scene: Scene) -> None:
    _frame(places, trained.frame, data, scene, at="end")
    with places["said"].container():
        st.markdown(
            _(
                "On pictures that it was not trained on: reconstruction {reconstruction} nats, KL {kl} nats, after "
                "{seconds} seconds.",
                reconstruction=number(trained.reconstruction, 1),
                kl=number(trained.kl, 1),
                seconds=number(trained.seconds, 0),
            )
        )
        _through_it(trained, scene)
        _keep(trained, data, scene)
    _export(trained, data, scene)


def _through_it(trained: LiveTraining, scene: Scene) -> None:
    """The visitor's picture through the new network."""
    located = compute.run(vae.locate, network=trained.network, picture=scene.given.pixels)
    left, right = st.columns(2)
    left.image(
        inputs.enlarged(scene.given.pixels, 112), width=112, output_format="PNG", caption=_("your picture")
    )
    right.image(
        inputs.enlarged(located.pixels, 112),
        width=112,
        output_format="PNG",
        caption=_("through your network"),
    )


def _keep(trained: LiveTraining, data: Data, scene: Scene) -> None:
    held = st.session_state.get(KEPT)
    if held is not None and held[1] is trained:
        st.success(
            _(
                "Kept for this visit: choose it above, as the network with a map for {data}.",
                data=sets()[held[0]],
            ),
            icon=":material/check:",
        )
        return
    # scikit-learn's digits belong to the page's digits, whatever data set is chosen above.
    home = "mnist" if data.name == "digits" else scene.dataset
    if st.button(
        _("Keep this network"),
        key="vae_keep",
        icon=":material/bookmark_add:",
        help=_("It becomes one of the networks of this page, with its own map, until you leave."),
    ):
        st.session_state[KEPT] = (home, trained)
        st.rerun()


def _maths() -> None:
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "Each step takes 64 pictures, draws one z for each, and moves all weights a little down the slope of "
                    "the loss."
                ),
                r"\theta \leftarrow \theta - \eta\, \nabla_\theta \frac{1}{64} \sum_{n=1}^{64} \Bigl[ "
                r"-\log p_\theta(x_n \mid z_n) + \beta\, \mathrm{KL}\bigl(q_\theta(z \mid x_n)\,\|\,p(z)\bigr) \Bigr]",
            )
        ]
    )


def _export(trained: LiveTraining, data: Data, scene: Scene) -> None:
    weights = dict(zip(trained.network.names, trained.network.weights, strict=True))
    export.panel(
        "vae_training",
        figures={
            _("The map at the end"): lambda: moment(trained.frame, data, scene),
            _("The two terms, step by step"): lambda: curves(trained.frame),
        },
        pictures={_("The decoded plane"): lambda: mosaic.png(inputs.grey(trained.frame.plane.mosaic))},
        files={
            _("The weights, as safetensors"): (
                "vae.safetensors",
                lambda: save({name: np.ascontiguousarray(values) for name, values in weights.items()}),
            )
        },
        tables={
            _("The two terms, step by step: a table"): lambda: [
                {"step": i + 1, "reconstruction_nats": float(r), "kl_nats": float(k)}
                for i, (r, k) in enumerate(zip(trained.frame.reconstruction, trained.frame.kl, strict=True))
            ]
        },
    )
