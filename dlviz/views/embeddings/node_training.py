"""node2vec while it learns: the graph, and beside it the picture of its vectors, linked."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz.errors import DlvizError
from dlviz.figures import graphs as figures
from dlviz.graphs import evaluation, node2vec
from dlviz.graphs.results import Node2VecFrame, Node2VecSettings, NodeEmbedding
from dlviz.language import vector_files
from dlviz.language.word_vectors import WordVectors
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.components.graph_twins import graph_twins
from dlviz.ui.language import _, number, percent, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import common, fields, graph_drawing, node_groups
from dlviz.views.embeddings.graph_scene import Scene, node_of, noted
from dlviz.views.embeddings.node_groups import Colouring

NODE = "emb_node"
NEAR = 8

LONG = 5_000_000
"""Visited nodes that are read in about a minute."""


def show(scene: Scene, settings: Node2VecSettings) -> None:
    """The part *Watch it learn*."""
    st.markdown(
        _(
            "Walks are sentences, nodes are words: a skip-gram learns from {walks} walks of {length} nodes from every "
            "node. Both pictures show the same nodes: on the left as the graph is drawn, on the right where their "
            "vectors lie (first two principal components).",
            walks=settings.walks_per_node,
            length=settings.length,
        )
    )
    _tell_how_long(scene, settings)
    colours = node_groups.choose(scene)
    chosen = _chosen(scene)
    place = st.container()
    maths()
    _code(scene, settings, chosen)
    with place:
        trained = _train(scene, settings, colours)
        if trained is not None:
            _finished(scene, settings, trained, colours, chosen)


def _tell_how_long(scene: Scene, settings: Node2VecSettings) -> None:
    """Warn of a training that takes minutes, before it begins."""
    visited = scene.graph.nodes * settings.walks_per_node * settings.length * settings.epochs
    if visited > LONG:
        st.warning(
            _(
                "These walks visit {count} nodes in all: that takes minutes. Fewer or shorter walks, or fewer epochs, are "
                "quicker; see under More choices.",
                count=visited,
            ),
            icon=":material/hourglass_top:",
        )


def _chosen(scene: Scene) -> int:
    """The node whose nearest vectors are told: the one that was clicked, else a usual one."""
    linked = node_of(scene, controls.hidden_field(NODE, _("Node")))
    return _usual(scene) if linked is None else linked


def _usual(scene: Scene) -> int:
    """The first node with about as many neighbours as nodes have on average: a hub's would cover the picture."""
    degree = scene.graph.degree()
    return int(np.abs(degree - degree.mean()).argmin())


def _clicked(name: str) -> None:
    st.session_state[NODE] = name


def _train(scene: Scene, settings: Node2VecSettings, colours: Colouring) -> NodeEmbedding | None:
    """The training; its frames stand in one place, so that nothing moves while they come."""
    frames = st.empty()
    # The chosen node is not an argument: another click must not train anew.
    watched = (_usual(scene),)
    try:
        trained: NodeEmbedding | None = compute.stream(
            node2vec.train,
            key="emb_n2v",
            lane="process",
            label=_("Walks read"),
            start=_("Start the training"),
            on_frame=lambda frame: _frame(frames, scene, frame, colours),
            graph=scene.graph,
            settings=settings,
            watched=watched,
        )
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return None
    if trained is not None:
        frames.empty()
        return trained
    with frames.container():
        _before(scene, colours)
    return None


def _before(scene: Scene, colours: Colouring) -> None:
    """The graph alone, until there are vectors."""
    drawing, part = graph_drawing.drawing(scene)
    left, right = st.columns(2, gap="large")
    with left:
        charts.show(
            figures.nodes(
                drawing.places, colours.of_node[part.nodes], names=drawing.names, edges=drawing.edges
            ),
            key="emb_n2v_graph",
            alt=_("The graph as it is drawn."),
        )
    right.info(
        _("Start the training, and the vectors of the nodes appear here."), icon=":material/scatter_plot:"
    )
    graph_drawing.tell_what_is_left_out(part)


def _frame(place: Any, scene: Scene, frame: Node2VecFrame, colours: Colouring) -> None:
    drawing, part = graph_drawing.drawing(scene)
    group = colours.of_node[part.nodes]
    with place.container():
        left, right = st.columns(2, gap="large")
        with left:
            charts.show(
                figures.nodes(drawing.places, group, names=drawing.names, edges=drawing.edges),
                key=f"emb_n2v_graph_{frame.done}",
                alt=_("The graph as it is drawn."),
            )
        with right:
            charts.show(
                figures.nodes(frame.positions[part.nodes], group, names=drawing.names),
                key=f"emb_n2v_vectors_{frame.done}",
                alt=_("The vectors of the nodes while they are learnt."),
            )
        st.markdown(
            _(
                "Epoch {epoch} · loss {loss} nats a pair · {speed} nodes a second · nearest to **{node}**: {near}",
                epoch=frame.epoch,
                loss=round(frame.loss, 3),
                speed=number(frame.nodes_per_second, 0),
                node=fields.plain(scene.names[int(frame.watched[0])]),
                near=", ".join(fields.plain(scene.names[i]) for i in frame.near[0].tolist()),
            )
        )


def _finished(
    scene: Scene, settings: Node2VecSettings, trained: NodeEmbedding, colours: Colouring, chosen: int
) -> None:
    nearest = node2vec.nearest(trained.vectors, np.array([chosen]), NEAR)[0].tolist()
    drawing, part = graph_drawing.drawing(scene, keep=[chosen, *nearest])
    graph_twins(
        "emb_twins",
        drawing,
        trained.positions[part.nodes],
        group=colours.of_node[part.nodes],
        groups=colours.names,
        titles=(_("The graph"), _("Its vectors")),
        chosen=chosen,
        near=nearest,
        on_node=_clicked,
    )
    graph_drawing.tell_what_is_left_out(part)
    _neighbours(scene, trained, chosen, nearest)
    kept = evaluation.neighbours_kept(scene.graph, trained.vectors)
    st.markdown(
        _(
            "Trained in {seconds} seconds. Of a node's neighbours in the graph, {share} are among its nearest vectors.",
            seconds=number(trained.seconds, 1),
            share=percent(kept, 0),
        )
    )
    if len(trained.losses) > 1:
        charts.show(loss_curve(trained), key="emb_n2v_loss", alt=_("The loss while the vectors were learnt."))
    _keep(scene, settings, trained)
    _export(scene, trained, colours)


def loss_curve(trained: NodeEmbedding) -> Any:
    """The loss as a figure."""
    return figures.losses(trained.losses.tolist(), axes=(_("frame"), _("nats a pair")))


def _neighbours(scene: Scene, trained: NodeEmbedding, chosen: int, nearest: list[int]) -> None:
    """The chosen node's neighbours in the graph beside its nearest vectors: the picture is not asked."""
    unit = trained.vectors / np.maximum(np.linalg.norm(trained.vectors, axis=1, keepdims=True), 1e-12)
    joined = set(scene.graph.neighbours(chosen).tolist())
    st.markdown(_("Nearest vectors of **{node}**:", node=fields.plain(scene.names[chosen])))
    st.dataframe(
        {
            _("Node"): [scene.names[i] for i in nearest],
            _("Cosine"): [round(float(unit[i] @ unit[chosen]), 3) for i in nearest],
            _("Joined in the graph"): [i in joined for i in nearest],
            _("Degree"): scene.graph.degree()[nearest],
        },
        hide_index=True,
        height="content",
    )
    if not trained.trained[chosen]:
        st.caption(_("No walk has met this node with another one: its vector is as it was drawn."))


def _keep(scene: Scene, settings: Node2VecSettings, trained: NodeEmbedding) -> None:
    held = common.nodes()
    if held is not None and np.array_equal(held.store.matrix, trained.vectors):
        st.success(
            _("Kept for this visit: choose these vectors under Words and under Projector."),
            icon=":material/check:",
        )
    elif st.button(
        _("Keep these vectors"),
        key="emb_n2v_keep",
        icon=":material/bookmark_add:",
        help=_("They become one of the choices of vectors on this page, until you leave."),
    ):
        common.keep_nodes(_kept(scene, settings, trained))
        st.rerun()


def _kept(scene: Scene, settings: Node2VecSettings, trained: NodeEmbedding) -> common.Kept:
    store = vectors_of(scene, trained)
    graph = scene.source
    source = Source(
        f"WordVectors({graph.expression}.names(), [*node2vec.train({graph.expression}, {settings!r})][-1].value.vectors)",
        (
            *graph.imports,
            "from dlviz.graphs import node2vec",
            "from dlviz.graphs.results import Node2VecSettings",
            "from dlviz.language.word_vectors import WordVectors",
        ),
    )
    return common.kept(store, title=scene.title, source=source, metadata=metadata(scene, store.words))


def vectors_of(scene: Scene, trained: NodeEmbedding) -> WordVectors:
    """The vectors with the nodes' names as words; of equal names the later ones get a number."""
    seen: dict[str, int] = {}
    names = []
    for name in scene.names:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return WordVectors(names, trained.vectors)


def metadata(scene: Scene, words: tuple[str, ...]) -> bytes:
    """What is known of the nodes, as a table that the projector reads."""
    columns: dict[str, list[str]] = {_("degree"): [str(d) for d in scene.graph.degree().tolist()]}
    found = node_groups.communities(scene.graph)
    columns[_("community")] = [found.names[i] for i in found.of_node.tolist()]
    for column in scene.graph.attributes:
        kinds = column.words()
        columns[column.name] = [
            (kinds[int(v)] if v >= 0 else "") if kinds else ("" if np.isnan(v) else repr(float(v)))
            for v in column.values.tolist()
        ]
    rows = [[_("node"), *columns], *zip(words, *columns.values(), strict=True)]
    clean = str.maketrans("\t\n\r", "   ")
    return "\n".join("\t".join(cell.translate(clean) for cell in row) for row in rows).encode()


def maths() -> None:
    """What the skip-gram on walks learns."""
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "A node's vector is to foretell the nodes around it in the walks, as a word's the words around it."
                ),
                r"\max \sum_{v \in V} \Bigl( \sum_{u \in N(v)} \log \sigma(u \cdot v) + \sum_{k \in K} "
                r"\mathbb{E}_{k \sim P(n)} \bigl[ \log \sigma(-k \cdot v) \bigr] \Bigr), \qquad "
                r"P(n) \propto \text{visits}(n)^{3/4}".replace("visits", _("visits")),
            )
        ]
    )


def _code(scene: Scene, settings: Node2VecSettings, chosen: int) -> None:
    written = noted(settings)
    lesson.code(
        [
            (
                _("Walks, and a skip-gram that reads them:"),
                node2vec.train,
                {"graph": scene.source, "settings": written, "watched": (chosen,)},
            )
        ],
        model=None,
    )


def _export(scene: Scene, trained: NodeEmbedding, colours: Colouring) -> None:
    def picture() -> Any:
        return figures.nodes(trained.positions, colours.of_node, names=scene.names, height=760)

    export.panel(
        "emb_n2v",
        figures={_("The vectors of the nodes"): picture},
        files={
            _("The vectors as NPZ: this page and numpy read them"): (
                "vectors.npz",
                lambda: vector_files.write(vectors_of(scene, trained), "npz")["vectors.npz"],
            )
        },
        tables={
            _("Every node, its group and its places"): lambda: [
                {
                    "node": name,
                    "group": colours.names[group] if group >= 0 else "",
                    "graph_x": float(a[0]),
                    "graph_y": float(a[1]),
                    "vector_x": float(b[0]),
                    "vector_y": float(b[1]),
                }
                for name, group, a, b in zip(
                    scene.names, colours.of_node, scene.layout.positions, trained.positions, strict=True
                )
            ]
        },
    )
