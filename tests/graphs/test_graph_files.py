"""Every format against networkx's own writers; every broken file refused with a sentence."""

from __future__ import annotations

import io
import json
import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlviz.errors import Refused
from dlviz.graphs import graph_files
from dlviz.graphs.graph_samples import sample, small_world, stochastic_blocks
from tests.graphs.graphs import named_edges, weighted_edges


def _example(directed: bool) -> nx.Graph:
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_node("Zoé", team="blue", age=31.5)
    graph.add_node("Ann & Bob", team="red", age=20.0)
    graph.add_edge("Zoé", "Ann & Bob", weight=2.5)
    graph.add_edge("Ann & Bob", "x3", weight=1.0)
    graph.add_edge("x3", "Zoé", weight=0.25)
    graph.add_edge("x3", "x3", weight=4.0)
    graph.add_node("alone", team="blue")
    return graph


def _written(graph: nx.Graph, form: str) -> bytes:
    if form == "gml":
        return "\n".join(nx.generate_gml(graph)).encode()
    if form == "links":
        return json.dumps(nx.node_link_data(graph, edges="links")).encode()
    if form == "edges":
        return json.dumps(nx.node_link_data(graph, edges="edges")).encode()
    buffer = io.BytesIO()
    (nx.write_graphml_xml if form == "graphml" else nx.write_gexf)(graph, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("form", ["gml", "links", "edges", "graphml", "gexf"])
def test_what_networkx_writes_is_read_back(form: str, directed: bool) -> None:
    graph = _example(directed)
    read = graph_files.read(_written(graph, form), f"example.{form}")
    assert named_edges(read) == weighted_edges(graph)
    assert set(read.names()) == set(graph)
    assert read.directed == directed and read.weighted
    team = next(column for column in read.attributes if column.name == "team")
    words = {
        name: (*team.words(), "")[code] for name, code in zip(read.names(), team.values.tolist(), strict=True)
    }
    assert words == {"Zoé": "blue", "Ann & Bob": "red", "x3": "", "alone": "blue"}
    age = next(column for column in read.attributes if column.name == "age")
    assert np.nanmax(age.values) == 31.5 and int(np.isnan(age.values).sum()) == 2


@pytest.mark.parametrize("form", ["gml", "links", "graphml", "gexf"])
def test_a_real_graph_in_every_format(form: str) -> None:
    graph = nx.les_miserables_graph()
    assert named_edges(graph_files.read(_written(graph, form))) == weighted_edges(graph)


@pytest.mark.parametrize(
    "text",
    [
        "a b 2\nb c 3\n",
        "a\tb\t2\nb\tc\t3",
        "a,b,2\nb,c,3\n",
        "a;b;2,0\nb;c;3,0\n",
        "source,target,weight\na,b,2\nb,c,3\n",
        "\ufeffWeight;Target;Label;Source\n2;b;x;a\n3;c;y;b\n",
        "# a comment\n% another\na b 2\r\nb c 3\r\n",
        'de l\'un,"à l\'autre",poids\na,b,2\n"b",c,3\n',
        "a b {'weight': 2}\nb c {'weight': 3.0, 'x': 1}\n",
        "%%MatrixMarket matrix coordinate real symmetric\n% made by hand\n3 3 2\na b 2\nb c 3\n",
    ],
)
def test_edge_lists_of_many_hands(text: str) -> None:
    graph = graph_files.read(text.encode())
    assert named_edges(graph) == {("a", "b", 2.0), ("b", "c", 3.0)}
    assert graph.weighted and not graph.directed


def test_gephi_says_that_edges_are_directed() -> None:
    graph = graph_files.read(b"Source,Target,Type,Id\na,b,Directed,0\nc,b,Directed,1\n")
    assert graph.directed and named_edges(graph) == {("a", "b", 1.0), ("c", "b", 1.0)}


def test_the_visitor_decides_about_direction() -> None:
    text = b"a b\nb a\nb c\n"
    assert graph_files.read(text, directed=True).edges == 3
    undirected = graph_files.read(text)
    assert undirected.edges == 2 and not undirected.weighted
    assert [note.items for note in undirected.notes] == [(("count", 1),)]


def test_parallel_edges_are_summed_and_self_loops_kept() -> None:
    graph = graph_files.read(b"a b 1\na b 2.5\nb a 1\nb b 3\n")
    assert named_edges(graph) == {("a", "b", 4.5), ("b", "b", 3.0)}
    assert graph.edges == 2 and graph.self_loops() == 1
    assert [dict(note.items)["count"] for note in graph.notes] == [2, 1]


def test_isolated_nodes_and_weights_of_zero_are_told() -> None:
    graph = graph_files.read(b"a b 1\nc d 0\n")
    assert graph.nodes == 4 and graph.edges == 1 and graph.isolated().tolist() == [2, 3]
    assert [dict(note.items)["count"] for note in graph.notes] == [1, 2]


def test_nodes_of_the_same_label_are_told_apart() -> None:
    graph = graph_files.read(
        b'graph [ node [ id 1 label "Li" ] node [ id 2 label "Li" ] node [ id 3 label "Wu" ]'
        b" edge [ source 1 target 2 ] edge [ source 2 target 3 ] ]"
    )
    assert graph.names() == ("Li (1)", "Li (2)", "Wu")


def test_an_old_d3_file_names_nodes_by_their_place() -> None:
    text = {
        "nodes": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
        "links": [{"source": 0, "target": 2, "value": 7}],
    }
    assert named_edges(graph_files.read(json.dumps(text).encode())) == {("a", "c", 7.0)}


def test_latin_1_is_read_and_said() -> None:
    graph = graph_files.read("Zoé,Éric\nÉric,Noël\n".encode("latin-1"))
    assert graph.names() == ("Zoé", "Éric", "Noël")
    assert dict(graph.notes[0].items) == {"encoding": "cp1252"}


def test_an_xml_declaration_is_believed() -> None:
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><gexf><graph><nodes><node id="é"/><node id="b"/></nodes>'
    )
    text += '<edges><edge source="é" target="b"/></edges></graph></gexf>'
    assert graph_files.read(text.encode("latin-1")).names() == ("é", "b")


def test_the_label_that_yed_hides_in_its_drawing() -> None:
    text = (
        '<graphml xmlns:y="http://www.yworks.com/xml/graphml"><key id="d5" for="node"/><graph edgedefault="directed">'
        '<node id="n0"><data key="d5"><y:ShapeNode><y:NodeLabel>Start</y:NodeLabel></y:ShapeNode></data></node>'
        '<node id="n1"/><edge source="n0" target="n1"/></graph></graphml>'
    )
    assert graph_files.read(text.encode()).names() == ("Start", "n1")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<graphml><graph><node id='&b;'/></graph></graphml>"
)
BAD_FILES = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\n", "empty"),
    "no edge": (b"graph [ node [ id 1 ] node [ id 2 ] ]", "no edge"),
    "only zero": (b"a b 0\n", "no edge"),
    "negative": (b"a b 1\nb c -2\n", "negative"),
    "nan": (b"a b nan\n", "finite"),
    "infinite": (b"a,b,inf\n", "finite"),
    "word as weight": (b"a knows b\nb likes c\n", "finite"),
    "json nan": (b'{"nodes": [], "links": [{"source": 1, "target": 2, "weight": NaN}]}', "finite"),
    "prose": (b"It was the best of times\n", "finite"),
    "one column, then commas": (b"a,b\nc,\n", "Line 2"),
    "single word": (b"lonely\n", "Line 1"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
    "zeros": (b"\0" * 100, "binary"),
    "half utf-16": (b"\xff\xfea", "binary"),
    "gml bracket": (b"graph [\n node [ id 1 ]\n edge [ source 1 target 1 ]\n", "line 4"),
    "gml closing": (b"graph [ node [ id 1 ] ] ]", "line 1"),
    "gml quote": (b'graph [\n node [ id 1 label "x ]\n edge [ source 1 target 1 ] ]', "line 2"),
    "gml key": (b"graph [\n node [ 7 id ] ]", "line 2"),
    "gml without source": (b"graph [\n node [ id 1 ]\n edge [ target 1 ] ]", "line 3"),
    "gml depth": (b"graph [ " + b"a [ " * 100_000, "line 1"),
    "xml": (b"<graphml><graph><node id='a'></graph></graphml>", "line 1"),
    "xml of another kind": (b"<svg><path/></svg>", "neither"),
    "xml depth": (b"<graphml>" + b"<a>" * 100_000, "nested"),
    "xml without id": (b"<graphml><graph><node/></graph></graphml>", "lacks"),
    "xml bomb": (BOMB, "DOCTYPE"),
    "xml bomb in utf-16": (BOMB.decode().encode("utf-16"), "DOCTYPE"),
    "json": (b'{"nodes": [}', "column 12"),
    "json list": (b"[1, 2]", "no graph"),
    "json depth": (b"[" * 200_000, "no graph"),
    "json without links": (b'{"nodes": [1]}', "no graph"),
    "json odd link": (b'{"nodes": [1], "links": [[1, 2]]}', "no graph"),
    "dot": (b"digraph G { a -> b }", "DOT"),
    "matrix": (b"\n".join([b",".join([b"0"] * 100)] * 100), "100 columns"),
    "large": (b"a b\n" * 6_000_000, "MB"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_cannot_be_a_graph_is_refused_with_a_sentence(name: str) -> None:
    data, word = BAD_FILES[name]
    started = time.perf_counter()
    with pytest.raises(Refused) as refusal:
        graph_files.read(data)
    assert word in str(refusal.value)
    assert time.perf_counter() - started < 5.0


def test_too_many_edges_and_nodes_are_refused() -> None:
    ring = "\n".join(f"{n % 1000} {1000 + n // 1000}" for n in range(200_001))
    with pytest.raises(Refused, match="200000 edges"):
        graph_files.read(ring.encode())
    with pytest.raises(Refused, match="200000 nodes"):
        graph_files.read("\n".join(f"a{n} b{n}" for n in range(100_001)).encode())


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_nothing_but_a_refusal_is_ever_raised(data: bytes) -> None:
    for start in (b"", b"graph [", b"<graphml>", b'{"nodes": [', b"a b\n"):
        try:
            graph = graph_files.read(start + data)
        except Refused:
            continue
        assert graph.edges > 0 and graph.indptr[-1] == len(graph.indices)


def test_rows_are_sorted_and_symmetric() -> None:
    graph = sample("karate")
    for node in range(graph.nodes):
        row = graph.neighbours(node)
        assert (np.diff(row) > 0).all()
        assert all(graph.has_edge(int(other), node) for other in row)
    assert graph.edges == 78 and graph.weights.sum() == 2 * 231
    assert graph.attributes[0].words() == ("Mr. Hi", "Officer")


def test_samples_are_what_they_are_known_as() -> None:
    assert (sample("miserables").nodes, sample("miserables").edges) == (77, 254)
    assert (sample("florentine").nodes, sample("florentine").edges) == (15, 20)


def test_made_to_order_and_the_same_every_time() -> None:
    first, again = (stochastic_blocks((30, 30, 40), 0.3, 0.02, seed=5) for _ in range(2))
    assert np.array_equal(first.indices, again.indices)
    blocks = first.attributes[0].values
    ends = blocks[first.edge_list()]
    inside = (ends[:, 0] == ends[:, 1]).sum()
    assert abs(inside - 0.3 * (435 + 435 + 780)) < 4 * (0.21 * 1650) ** 0.5
    ring = small_world(50, 4, 0.0)
    assert (ring.degree() == 4).all()
    with pytest.raises(Refused, match="At most"):
        stochastic_blocks((5000, 5000), 0.5, 0.5)
    with pytest.raises(Refused, match="no edge"):
        small_world(10, 0, 0.1)
