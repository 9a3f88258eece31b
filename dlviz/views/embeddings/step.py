"""One step of word2vec: the pair, the negatives, what each costs, which way the vectors go, before and after."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from dlviz.errors import Refused
from dlviz.figures import word_training as figures
from dlviz.figures.palette import CATEGORICAL
from dlviz.language import word_corpus, word_step
from dlviz.language.word_step_results import Step
from dlviz.ui import charts, compute, controls, export, lesson, snippet
from dlviz.ui.language import _, latex, number, percent, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import own_text, step_scene
from dlviz.views.embeddings.fields import tex
from dlviz.views.embeddings.step_scene import DRAW, MOST_TAKEN, Scene


@st.fragment
def show() -> None:
    """The section."""
    st.markdown(
        _(
            "All of word2vec is this one step, taken millions of times: a word that was there, a few that were not, and a "
            "push to every vector. Pick a word, take the step, and see the numbers change."
        )
    )
    left, right = st.columns([5, 6], gap="large")
    with left:
        own = own_text.choose()
    with right:
        chosen, start, dimensions = step_scene.settings(own)
    scene = step_scene.scene(own, chosen, start, dimensions)
    if scene is None:
        return
    _strip(scene)
    _draws(scene)
    try:
        found: Step = compute.run(
            word_step.explain,
            corpus=scene.corpus,
            weights=scene.weights,
            settings=scene.settings,
            place=scene.place,
            taken=scene.taken,
        )
    except Refused as refusal:
        st.warning(say(refusal), icon=":material/search_off:")
        return
    _drawn(scene, found)
    _pushes(scene, found)
    _beside(scene, found)
    _maths(scene, found)
    _code(scene)
    _export(scene, found)


def _strip(scene: Scene) -> None:
    """The sentence: centre, neighbours, what is out of reach, and what was thinned out this time."""
    seen = scene.seen
    first = max(0, seen.centre - step_scene.AROUND)
    last = min(len(seen.rows), seen.centre + step_scene.AROUND + 1)
    spans = []
    for place in range(first, last):
        word = escape(scene.word(int(seen.rows[place])))
        said = escape(_("kept with probability {share}", share=percent(float(seen.keep[place]), 0)))
        spans.append(f'<span title="{said}" style="{_look(scene, place)}">{word}</span>')
    st.html(f'<div style="line-height: 2.3">{" ".join(spans)}</div>')
    dropped = int((~seen.stays).sum())
    st.caption(
        _(
            "The window was drawn {width} wide this time, of {window} at most: near neighbours are used more often.",
            width=seen.width,
            window=scene.settings.window,
        )
    )
    if dropped:
        st.caption(_("Words struck out were thinned out this time ({count}).", count=dropped))


def _look(scene: Scene, place: int) -> str:
    seen, box = scene.seen, "padding: .15rem .45rem; border-radius: 6px; border: 2px solid"
    if place == seen.centre:
        return f"{box} {CATEGORICAL[0]}; font-weight: 700"
    if place in seen.context:
        return f"{box} {CATEGORICAL[1]}"
    return "opacity: .45; text-decoration: line-through" if not seen.stays[place] else "opacity: .7"


def _draws(scene: Scene) -> None:
    """Draw again; take the step, and take it back."""
    count = len(scene.taken)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Draw other negatives"),
            key="emb_step_again",
            icon=":material/casino:",
            on_click=_again,
            args=(DRAW,),
        )
        st.button(
            _("Take the step"),
            key="emb_step_take",
            type="primary",
            icon=":material/step:",
            on_click=step_scene.remember,
            args=((*scene.taken, scene.place),),
            disabled=count >= MOST_TAKEN or not len(scene.seen.context),
        )
        st.button(
            _("Take it back"),
            key="emb_step_undo",
            icon=":material/undo:",
            on_click=step_scene.remember,
            args=(scene.taken[:-1],),
            disabled=not count,
        )
        st.button(
            _("Start over"),
            key="emb_step_reset",
            on_click=step_scene.remember,
            args=((),),
            disabled=not count,
        )
    if count:
        st.caption(
            _("Steps taken so far: {count}, of {most} that a link remembers.", count=count, most=MOST_TAKEN)
        )


def _again(key: str) -> None:
    st.session_state[key] = (int(st.session_state.get(key) or 0) + 1) % 100_000


def _names(scene: Scene, found: Step) -> tuple[list[str], list[str]]:
    return [scene.word(int(row)) for row in found.inputs], [scene.word(int(row)) for row in found.targets]


def _drawn(scene: Scene, found: Step) -> None:
    """The course's picture of the method with these words in it, and the table of the pairs."""
    left, right = st.columns([4, 5], gap="large")
    with left:
        charts.show(
            architecture(scene),
            key="emb_step_drawing",
            alt=_("The method as a drawing, with the words of the text."),
        )
    with right:
        _table(scene, found)
        st.markdown(
            _(
                "Loss **{before}** nats before the step, **{after}** after it, at a learning rate of {rate}.",
                before=number(found.loss, 4),
                after=number(found.loss_after, 4),
                rate=number(scene.settings.rate, 3),
            )
        )
        if found.unused:
            st.caption(
                _(
                    "{count} more were drawn that were the right word itself: word2vec leaves such negatives out.",
                    count=found.unused,
                )
            )


def architecture(scene: Scene) -> Any:
    """The course's picture of the method as a figure."""
    seen = scene.seen
    words = figures.Drawing(
        centre=scene.word(int(seen.rows[seen.centre])),
        neighbours=tuple(scene.word(int(seen.rows[place])) for place in seen.context),
        offsets=tuple(int(place) - seen.centre for place in seen.context),
        chosen=None if scene.settings.method == "cbow" else scene.place.neighbour,
    )
    middle = _("mean") if scene.settings.method == "cbow" else "h = v"
    return figures.architecture(
        scene.settings.method, words, columns=(_("Input"), _("Projection"), _("Output")), middle=middle
    )


def _table(scene: Scene, found: Step) -> None:
    st.dataframe(
        {
            _("Word"): _names(scene, found)[1],
            _("There?"): [_("yes") if label else _("no") for label in found.labels],
            "Pₙ": [percent(float(chance), 3) for chance in found.noise],
            "u · h": found.scores.round(4),
            "σ": found.sigma.round(4),
            _("loss"): found.losses.round(4),
            "σ − t": found.slopes.round(4),
            _("σ after"): found.sigma_after.round(4),
        },
        column_config={
            "Pₙ": st.column_config.TextColumn(help=_("How likely this word is to be drawn as a negative."))
        },
        hide_index=True,
        key="emb_step_table",
    )
    st.caption(
        _(
            "σ of the product is how sure the model is that the word was there. σ − t is how wrong it is: it pulls u "
            "towards h where it is negative, and pushes it away where it is positive."
        )
    )


def _pushes(scene: Scene, found: Step) -> None:
    """The vectors in a plane, with arrows against their gradients."""
    st.subheader(_("Which way the vectors go"), anchor=False)
    left, right = st.columns([5, 3], gap="large")
    with right:
        axes = _axes(scene.dimensions)
        st.markdown(_explained(scene, found))
    figure, scale, kept = moves(scene, found, axes)
    with left:
        charts.show(
            figure, key="emb_step_moves", alt=_("The vectors of the step, and which way each is pushed.")
        )
    with right:
        if scale.longer > 1:
            st.caption(
                _("The arrows are drawn {times} times as long as the step.", times=number(scale.longer, 0))
            )
        if scale.shorter > 1:
            st.caption(
                _(
                    "The vectors v are drawn {times} times shorter than they are.",
                    times=number(scale.shorter, 0),
                )
            )
        st.caption(
            _(
                "This plane shows {share} of the vectors' squared lengths; the cross is the origin.",
                share=percent(kept, 0),
            )
        )


def _axes(dimensions: int) -> tuple[int, int] | None:
    if dimensions == 2:
        return None
    how = controls.choice(
        _("The plane of"),
        {"main": _("the two main directions"), "own": _("two dimensions")},
        key="emb_step_plane",
        wrap=True,
    )
    if how == "main":
        return None
    left, right = st.columns(2)
    across = left.number_input(_("Across"), 1, dimensions, 1, key="emb_step_across", bind="query-params")
    up = right.number_input(_("Up"), 1, dimensions, 2, key="emb_step_up", bind="query-params")
    return int(across) - 1, int(up) - 1


def _explained(scene: Scene, found: Step) -> str:
    if not found.hidden_gradient.any():
        return _(
            "Before the first step every u is zero: each σ is one half, and **h does not move at all**. Only the u do: the "
            "right word's along h, the negatives' against it. Take the step, and next time h moves too."
        )
    if scene.settings.method == "cbow":
        return _(
            "The right word's u is pulled towards h, the negatives' are pushed away from it. h itself goes towards the right "
            "word and away from the negatives, and every neighbour takes its share of that, 1/{count}.",
            count=len(found.inputs),
        )
    return _(
        "The right word's u is pulled towards h, the negatives' are pushed away from it. h, which is the vector of the word in "
        "the middle, goes towards the right word and away from the negatives."
    )


def moves(scene: Scene, found: Step, axes: tuple[int, int] | None) -> tuple[Any, figures.Scale, float]:
    """The plane as a figure, how far it is out of scale, and the share that it shows."""
    plane = word_step.plane(found, axes)
    inputs, targets = _names(scene, found)
    hidden = f"v {inputs[0]}" if scene.settings.method == "skip-gram" else _("h, the mean")
    names = (
        (_("first main direction"), _("second main direction"))
        if axes is None
        else (_("dimension {number}", number=axes[0] + 1), _("dimension {number}", number=axes[1] + 1))
    )
    figure, scale = figures.moves(
        plane, inputs=[f"v {word}" for word in inputs], targets=[f"u {word}" for word in targets], hidden=hidden,
        axes=names,
    )  # fmt: skip
    return figure, scale, plane.kept


def _beside(scene: Scene, found: Step) -> None:
    """Where the negatives come from; the full softmax and what it costs."""
    st.subheader(_("Where negatives come from, and what they save"), anchor=False)
    left, middle, right = st.columns(3, gap="medium")
    with left:
        st.markdown(
            _(
                "Negatives are drawn by their frequency to the power 3/4: rare words come up more often than they are used."
            )
        )
        charts.show(noise(scene, found), key="emb_step_noise", alt=_("How often words are used, and drawn."))
    with middle:
        soft = found.softmax
        st.markdown(
            _(
                "The full softmax asks for the right word among all {count}: its probability goes from {before} to {after}, "
                "its rank from {rank} to {rank_after}.",
                count=len(scene.corpus.words),
                before=percent(soft.probability, 2),
                after=percent(soft.probability_after, 2),
                rank=soft.rank,
                rank_after=soft.rank_after,
            )
        )
        charts.show(
            softmax(scene, found), key="emb_step_softmax", alt=_("The likeliest words before and after.")
        )
    with right:
        full, sampled = word_step.operations(
            len(scene.corpus.words), scene.dimensions, len(found.targets) - 1
        )
        st.markdown(
            _(
                "It would also push all {count} vectors u: {full} multiplications instead of {sampled}, {times} times as "
                "many, at every single step.",
                count=len(scene.corpus.words),
                full=full,
                sampled=sampled,
                times=number(full / sampled, 1),
            )
        )
        charts.show(cost(scene), key="emb_step_cost", alt=_("Multiplications by the size of the vocabulary."))


def noise(scene: Scene, found: Step) -> Any:
    """The distribution of the negatives as a figure."""
    counts = scene.corpus.counts
    drawn = dict.fromkeys(int(row) for row in found.targets[1:])
    return figures.noise(
        counts / counts.sum(),
        word_corpus.noise(counts),
        [(row, scene.word(row)) for row in drawn],
        names=(_("used"), _("drawn"), _("drawn now")),
        axes=(_("rank of the word"), _("share of all words")),
    )


def softmax(scene: Scene, found: Step) -> Any:
    """The likeliest words as a figure."""
    return figures.softmax(
        found.softmax,
        [scene.word(int(row)) for row in found.softmax.rows],
        right=next((i for i, row in enumerate(found.softmax.rows) if row == found.targets[0]), -1),
        names=(_("before"), _("after")),
        axis=_("probability"),
    )


def cost(scene: Scene) -> Any:
    """What a step costs by the size of the vocabulary, as a figure."""
    sizes = np.geomspace(100, 3e6, 40)
    both = [word_step.operations(int(size), scene.dimensions, scene.settings.negatives) for size in sizes]
    marked = [(len(scene.corpus.words), _("this text")), (3_000_000, "Google News")]
    return figures.cost(
        sizes,
        np.array([float(full) for full, _sampled in both]),
        np.array([float(sampled) for _full, sampled in both]),
        [
            (float(size), float(word_step.operations(size, scene.dimensions, 1)[0]), said)
            for size, said in marked
        ],
        names=(_("full softmax"), _("negative sampling")),
        axes=(_("words in the vocabulary"), _("multiplications a step")),
    )


def _maths(scene: Scene, found: Step) -> None:
    inputs, targets = _names(scene, found)
    right = tex(targets[0])
    terms = " ".join(rf"- \log \sigma({latex(-float(score), 3)})" for score in found.scores[1:])
    mean = (
        rf"\tfrac{{1}}{{{len(inputs)}}}\sum v"
        if scene.settings.method == "cbow"
        else rf"v_{{{tex(inputs[0])}}}"
    )
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "The loss of the pair and its negatives: formula 4 of Mikolov and others (2013) and the course's formula "
                    "10, with its sign turned."
                ),
                r"L = -\log \sigma(u_o^\top h) - \sum_{i=1}^{k} \log \sigma(-u_{n_i}^\top h), \qquad "
                rf"h = {mean}, \quad o = {right}",
                rf"L = -\log \sigma({latex(float(found.scores[0]), 3)}) {terms} = {latex(found.loss, 4)}",
            ),
            lesson.Formula(
                _(
                    "Its gradients: the word's error σ − t times the other vector. t is 1 for the right word, 0 for the others."
                ),
                r"\frac{\partial L}{\partial u_w} = (\sigma(u_w^\top h) - t_w)\, h, \qquad "
                r"\frac{\partial L}{\partial h} = \sum_w (\sigma(u_w^\top h) - t_w)\, u_w",
                rf"\frac{{\partial L}}{{\partial u_{{{right}}}}} = ({latex(float(found.sigma[0]), 3)} - 1)\, h = "
                rf"{latex(float(found.slopes[0]), 3)}\, h, \qquad \Bigl\lVert \frac{{\partial L}}{{\partial h}} \Bigr\rVert "
                rf"= {latex(float(np.linalg.norm(found.hidden_gradient)), 3)}",
            ),
            lesson.Formula(
                _("The step goes against the gradient, by the learning rate."),
                r"u_w \leftarrow u_w - \eta\, \frac{\partial L}{\partial u_w}, \qquad "
                r"v_w \leftarrow v_w - \eta\, \frac{\partial L}{\partial v_w}",
                rf"\eta = {latex(scene.settings.rate, 3)}: \qquad L = {latex(found.loss, 4)} \;\to\; "
                rf"{latex(found.loss_after, 4)}",
            ),
            lesson.Formula(
                _("The full softmax (the course's formulas 8 and 9) for the same pair:"),
                r"P(o \mid h) = \frac{e^{u_o^\top h}}{\sum_{w \in W} e^{u_w^\top h}}",
                rf"P = {latex(found.softmax.probability, 5)}, \qquad -\log P = {latex(found.softmax.loss, 3)}",
            ),
        ]
    )
    st.caption(
        _(
            "Word2vec's own code lets each neighbour of CBOW take the whole gradient instead of its share, and looks at a pair "
            "from the other side in a skip-gram: over a whole text that comes to the same pairs."
        )
    )


def _code(scene: Scene) -> None:
    imports = ("from dlviz.language import word_corpus", *scene.own.source.imports)
    corpus = Source(
        f"word_corpus.corpus({scene.own.source.expression}[:{step_scene.READ}], {scene.own.language!r})",
        imports,
    )
    if scene.start == "fresh":
        weights = f"word_step.fresh(corpus, {scene.dimensions})"
    else:
        weights = f"word_step.practised(corpus, {scene.dimensions}, {scene.settings.method!r})"
    types = ("from dlviz.language.word_step_results import Place, StepSettings",)
    call: dict[str, object] = {
        "corpus": Source(f"(corpus := {corpus.expression})", corpus.imports),
        "weights": Source(weights),
        "settings": Source(repr(scene.settings), types),
        "place": Source(repr(scene.place), types),
        "taken": Source(repr(scene.taken), types),
    }
    lesson.code([(_("The step with all its numbers:"), word_step.explain, call)], model=None)
    with st.expander(_("The gradients and the update themselves"), icon=":material/code:"):
        st.code(snippet.source(word_step.gradients), language="python")
        st.code(snippet.source(word_step.moved), language="python")


def _export(scene: Scene, found: Step) -> None:
    inputs, targets = _names(scene, found)
    export.panel(
        "emb_step",
        figures={
            _("The method with these words"): lambda: architecture(scene),
            _("Which way the vectors go"): lambda: moves(scene, found, None)[0],
            _("Where the negatives come from"): lambda: noise(scene, found),
            _("What a step costs"): lambda: cost(scene),
        },
        tables={
            _("The pairs as a table"): lambda: [
                {
                    "word": word,
                    "label": int(found.labels[i]),
                    "noise_probability": float(found.noise[i]),
                    "score": float(found.scores[i]),
                    "sigma": float(found.sigma[i]),
                    "loss_nats": float(found.losses[i]),
                    "error": float(found.slopes[i]),
                    "sigma_after": float(found.sigma_after[i]),
                }
                for i, word in enumerate(targets)
            ]
        },
        arrays={
            _("All vectors and gradients"): lambda: {
                "inputs": np.array(inputs),
                "targets": np.array(targets),
                "inputs_before": found.inputs_before,
                "inputs_after": found.inputs_after,
                "input_gradients": found.input_gradients,
                "targets_before": found.targets_before,
                "targets_after": found.targets_after,
                "target_gradients": found.target_gradients,
            }
        },
    )
