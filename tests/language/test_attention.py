"""Attention of every public architecture: equal to transformers' own, and to arithmetic by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from dlviz.errors import Refused
from dlviz.language import attention, attention_acts, attention_models, reading
from dlviz.language.attention_models import AttentionModel
from dlviz.language.attention_results import Attention, Part
from dlviz.settings import settings
from tests.language.checkpoints import ARCHITECTURES, HEADS, LAYERS, READERS, checkpoint, in_folder, opus
from tests.language.llama2c import convert

TEXT = "La souris rit, et l'old queen laughs under the rain."
PHOTO = np.random.default_rng(0).integers(0, 256, (40, 52, 3), dtype=np.uint8)
OUTPUTS = {"encoder": "encoder_attentions", "decoder": "decoder_attentions", "cross": "cross_attentions"}

Maker = Callable[[str], AttentionModel]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return in_folder(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="module")
def model(folders: Callable[[str], Path]) -> Maker:
    made: dict[str, AttentionModel] = {}

    def make(name: str) -> AttentionModel:
        if name not in made:
            made[name] = attention_models.from_folder(folders(name)).requires_grad_(False)
        return made[name]

    return make


def given(name: str) -> Any:
    return PHOTO if name == "vit" else TEXT


def own(folder: Path, name: str, inputs: dict[str, torch.Tensor]) -> dict[Part, np.ndarray]:
    """What the network itself returns, loaded eagerly by transformers alone: `(layer, head, query, key)` by part."""
    network = getattr(transformers, ARCHITECTURES[name][0]).from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32
    )
    with torch.no_grad():
        said = network.eval()(**inputs, output_attentions=True)
    if "encoder_attentions" in said:
        return {part: torch.cat(said[field]).numpy() for part, field in OUTPUTS.items()}
    return {"self": torch.cat(said.attentions).numpy()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_the_networks_own(name: str, model: Maker, folders: Callable[[str], Path]) -> None:
    one = model(name)
    inputs = attention.prepare(one, given(name))[2]
    expected = own(folders(name), name, inputs)
    found = attention.attend(one, given(name))
    assert [part.part for part in found.parts] == list(expected)
    for part in found.parts:
        wanted = expected[part.part]
        assert part.codes.shape == wanted.shape and part.codes.dtype == np.uint8
        assert (len(part.queries), len(part.keys)) == wanted.shape[2:]
        for layer in range(len(wanted)):
            exact = attention.layer_weights(one, given(name), part=part.part, layer=layer)
            np.testing.assert_allclose(exact, wanted[layer], atol=1e-5)
            np.testing.assert_allclose(exact.sum(-1), 1, atol=1e-5)
            for head in range(wanted.shape[1]):
                near = np.abs(part.matrix(layer, head) - wanted[layer, head])
                assert (near <= part.scale[layer, head][:, None] / 510 + 1e-5).all()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_one_weight_taken_apart(name: str, model: Maker, folders: Callable[[str], Path]) -> None:
    one = model(name)
    expected = own(folders(name), name, attention.prepare(one, given(name))[2])
    for part, weights in expected.items():
        layer, head, query = len(weights) - 1, weights.shape[1] - 1, weights.shape[2] - 2
        key = int(weights[layer, head, query].argmax())
        cell = attention.take_apart(one, given(name), part=part, layer=layer, head=head, query=query, key=key)
        assert cell.weight == pytest.approx(weights[layer, head, query, key], abs=1e-5)
        assert cell.dot == pytest.approx(cell.product.sum(), abs=1e-4)
        np.testing.assert_allclose(cell.product, cell.q * cell.k, rtol=1e-6)
        assert cell.scaling == pytest.approx(len(cell.q) ** -0.5)
        assert cell.scores[key] == pytest.approx(cell.scaled + cell.mask[key], abs=1e-4)
        shifted = np.exp(cell.scores - cell.scores.max())
        np.testing.assert_allclose(cell.weights, shifted / shifted.sum(), atol=1e-5)
        np.testing.assert_allclose(cell.output, cell.weights @ cell.values, atol=1e-5)
        np.testing.assert_allclose(cell.layer_output, cell.by_head.sum(0) + cell.bias, atol=1e-5)
        assert (cell.q_plain is not None) == (name == "llama")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_heads_add_up_to_the_layers_output(name: str, model: Maker) -> None:
    """The sum over heads and the bias is what leaves the output projection in the network's own pass."""
    one = model(name)
    part: Part = "cross" if one.family == "encoder-decoder" else "self"
    place = one.place(part, 1)
    seen: list[torch.Tensor] = []
    hook = place.out.register_forward_hook(lambda module, inputs, output: seen.append(output[0]))
    try:
        cell = attention.take_apart(one, given(name), part=part, layer=1, head=0, query=2, key=0)
    finally:
        hook.remove()
    np.testing.assert_allclose(cell.layer_output, seen[-1][2].numpy(), atol=1e-5)


def test_rotary_positions_turn_queries_and_keys(model: Maker) -> None:
    """Position 0 is not turned; a rotation keeps lengths; turned vectors give the weight, plain ones another."""
    one = model("llama")
    start = attention.take_apart(one, TEXT, part="self", layer=1, head=3, query=0, key=0)
    np.testing.assert_allclose(start.q, start.q_plain, atol=1e-6)
    later = attention.take_apart(one, TEXT, part="self", layer=1, head=3, query=6, key=2)
    assert later.q_plain is not None and later.k_plain is not None
    assert np.linalg.norm(later.q) == pytest.approx(np.linalg.norm(later.q_plain), rel=1e-5)
    assert np.linalg.norm(later.k) == pytest.approx(np.linalg.norm(later.k_plain), rel=1e-5)
    assert abs(later.q_plain @ later.k_plain - later.dot) > 1e-3
    half = len(later.q) // 2
    angle = 6 * 10_000.0 ** (-np.arange(half) / half)
    turned = later.q_plain[:half] * np.cos(angle) - later.q_plain[half:] * np.sin(angle)
    np.testing.assert_allclose(later.q[:half], turned, atol=1e-5)


def test_a_decoder_looks_back_only(model: Maker) -> None:
    found = attention.attend(model("gpt2"), TEXT)
    assert found.family == "decoder"
    codes = found.parts[0].codes
    assert not np.triu(codes, 1).any() and codes.any()
    cell = attention.take_apart(model("gpt2"), TEXT, part="self", layer=0, head=0, query=1, key=3)
    assert cell.weight == 0 and cell.mask[3] < -1e9 and cell.mask[1] == 0


def test_families_and_sizes(model: Maker) -> None:
    assert {name: model(name).family for name in ("bert", "llama", "marian", "vit")} == {
        "bert": "encoder", "llama": "decoder", "marian": "encoder-decoder", "vit": "vision",
    }  # fmt: skip
    assert model("camembert").limit == 65 and model("minilm").limit == 512
    assert model("bert").heads == {"self": (LAYERS, HEADS)}
    assert model("bart").heads == {"encoder": (2, 2), "decoder": (LAYERS, HEADS), "cross": (LAYERS, HEADS)}
    assert model("bert").fills_in and not model("minilm").fills_in and not model("gpt2").fills_in


@pytest.mark.parametrize("name", READERS)
def test_a_text_is_read_with_its_places(name: str, model: Maker) -> None:
    read = reading.read(model(name), TEXT)
    words = TEXT.split()
    for piece in read.pieces:
        if not piece.special:
            assert TEXT[piece.start : piece.end].strip() in words[piece.word]
    ordinary = [piece for piece in read.pieces if not piece.special]
    assert ordinary[0].word == 0 and ordinary[-1].word == len(words) - 1
    assert not read.cut and read.read == len(TEXT)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "text",
    [
        "a",
        "☃",
        "👩‍👩‍👧 ok",
        "שלום עולם",
        "e\u0301te\u0301",
        "a\x00b\x07c",
        "  two  \n\n lines\t",
        "x" * 5000,
        "mot " * 2000,
    ],
)
def test_any_text_is_read_or_cut(name: str, text: str, model: Maker) -> None:
    one = model(name)
    if one.family == "encoder-decoder":
        found = attention.attend(one, text, target="oui")
    else:
        found = attention.attend(one, text)
    assert 1 <= len(found.source.pieces) <= one.limit
    assert found.source.cut == (len(text) > 1000) and found.source.read <= len(text)
    for part in found.parts:
        assert np.isfinite(part.scale).all()


@pytest.mark.parametrize("text", ["", "   \n", "\ud83d"])
def test_what_cannot_be_read_is_refused(text: str, model: Maker) -> None:
    with pytest.raises(Refused):
        attention.attend(model("bert"), text)


def test_where_there_is_nothing(model: Maker) -> None:
    one = model("bert")
    for wrong in ({"layer": 9}, {"head": 4}, {"query": 99}, {"key": -1}):
        asked: dict[str, Any] = {"layer": 0, "head": 0, "query": 0, "key": 0, **wrong}
        with pytest.raises(Refused):
            attention.take_apart(one, TEXT, part="self", **asked)
    with pytest.raises(Refused):
        attention.layer_weights(one, TEXT, part="cross", layer=0)
    with pytest.raises(Refused):
        attention.attend(one, PHOTO)
    with pytest.raises(Refused):
        attention.attend(model("vit"), TEXT)


def test_a_translation_of_its_own_or_a_given_one(model: Maker) -> None:
    one = model("marian")
    found = attention.attend(one, "The mouse laughs.", target="La souris rit.")
    assert found.target is not None and found.target.text == "La souris rit."
    assert found.target.pieces[0].special and not found.target.pieces[1].special
    cross: Attention = found
    assert cross.part("cross").codes.shape[2:] == (len(found.target.pieces), len(found.source.pieces))
    said = attention.attend(one, "The mouse laughs.").target
    assert said is not None and said.text == attention.translate(one, "The mouse laughs.")


def test_a_translator_with_two_tables(tmp_path: Path) -> None:
    """OPUS-MT's tokenizer does not tell places: they are found again, and each side has its own table."""
    one = attention_models.from_folder(opus(tmp_path / "opus"))
    text, said = "The mouse laughs in the rain.", "La souris rit ☃ sous la pluie."
    found = attention.attend(one, text, target=said)
    assert found.target is not None
    for read, words in ((found.source, text.split()), (found.target, said.split())):
        ordinary = [piece for piece in read.pieces if not piece.special]
        whole = {
            number: "".join(read.text[p.start : p.end] for p in ordinary if p.word == number)
            for number in range(len(words))
        }
        assert [whole[number] or "☃" for number in whole] == words
    assert [piece.id for piece in found.target.pieces[1:]] == one.tokenizer(text_target=said)["input_ids"][
        :-1
    ]
    cut = attention.attend(one, "the mouse laughs " * 100, target=said).source
    assert cut.cut and len(cut.pieces) <= one.limit == 64


def test_real_rotary_weights(tmp_path: Path) -> None:
    """The stories of llama2.c: it tells one, its weights are its own, and its rotated vectors give them."""
    data = settings().data_dir
    if data is None or not (data / "stories260k" / "tok512.model").is_file():
        pytest.skip("needs stories260k in DLVIZ_DATA_DIR")
    folder = data / "stories260k"
    made = convert(folder / "stories260K_restored.bin", folder / "tok512.model", tmp_path / "stories")
    one = attention_models.from_folder(made)
    text = "Once upon a time, there was a little girl named"
    assert one.rotary and one.family == "decoder" and one.heads == {"self": (5, 8)}
    assert attention_acts.guess(one, "Once upon a").texts[0].strip() in ("time", "ti", "t")
    names = attention_acts.guess(one, text, count=3)
    assert names.probabilities[0] > 0.3
    inputs = attention.prepare(one, text)[2]
    network = transformers.LlamaForCausalLM.from_pretrained(made, attn_implementation="eager").eval()
    with torch.no_grad():
        expected = network(**inputs, output_attentions=True).attentions
    for layer in range(5):
        exact = attention.layer_weights(one, text, part="self", layer=layer)
        np.testing.assert_allclose(exact, expected[layer][0].numpy(), atol=1e-5)
    cell = attention.take_apart(one, text, part="self", layer=2, head=5, query=8, key=3)
    assert cell.q_plain is not None and cell.weight == pytest.approx(float(expected[2][0, 5, 8, 3]), abs=1e-5)


def test_a_folder_runs_no_code_of_its_own(tmp_path: Path) -> None:
    """A class that is no network is not called, and code beside the weights is not imported."""
    folder = checkpoint("bert", tmp_path / "odd")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["pipeline"]}))
    plain = attention_models.from_folder(folder)
    assert not plain.fills_in and attention.attend(plain, TEXT).parts
    (folder / "own.py").write_text("raise SystemExit('imported')")
    own = {**config, "model_type": "odd", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(own))
    with pytest.raises(ValueError):
        attention_models.from_folder(folder)


def test_512_tokens_are_small_enough_for_a_browser(model: Maker) -> None:
    found = attention.attend(model("minilm"), "le mot suivant " * 400, layers=[1])
    part = found.parts[0]
    assert part.codes.shape == (1, HEADS, 512, 512) and part.layers == (1,)
    assert found.source.cut and found.source.read < 6000
    assert part.codes[0].nbytes / HEADS * 12 < 4e6


def test_nothing_stays_on_the_network(model: Maker) -> None:
    """After a pass that somebody listened to, the network answers as one that was never touched."""
    one = model("bert")
    inputs = attention.prepare(one, TEXT)[2]
    before = one.network(**inputs).logits
    attention.take_apart(one, TEXT, part="self", layer=0, head=0, query=1, key=1, silenced=[("self", 0, 0)])
    assert torch.equal(one.network(**inputs).logits, before)
    assert not any(module._forward_hooks for module in model("llama").network.modules())
