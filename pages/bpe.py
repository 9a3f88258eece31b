"""Byte-pair encoding: train it on a text one merge at a time, then tokenise anything and compare."""

from __future__ import annotations

import streamlit as st

from dlviz.language.sample_texts import COURSE_WORDPIECE
from dlviz.ui import controls, lesson
from dlviz.ui.language import _
from dlviz.views.bpe import compare, curves, moments, scene, tokenise, train, vocabularies


def presets() -> list[lesson.Preset]:
    """States of the page worth seeing."""
    sennrich = "text:" + " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
    return [
        lesson.Preset(
            _("The course's sentence"),
            _(
                "As on the slide: characters, spaces included. Several pairs are seen twice, so the tie-break "
                "decides. The slide's final list is not what the procedure yields; here is what it does yield."
            ),
            {},
        ),
        lesson.Preset(
            _("The same sentence, ties broken by ids"),
            _("Another tie-break, another order of merges: with ties, “the” BPE of a text does not exist."),
            {"bpe_tie": "ids"},
        ),
        lesson.Preset(
            _("The example of the first paper"),
            _("Sennrich and colleagues, 2016: “est” with its end mark is learnt from newest and widest."),
            {"bpe_text": sennrich, "bpe_split": "words", "bpe_n": "3"},
        ),
        lesson.Preset(
            _("A story, with GPT-2's pattern and bytes"),
            _(
                "Words take the space before them along, and an accented letter is two bytes until a "
                "merge joins them."
            ),
            {"bpe_text": "marche", "bpe_split": "gpt2", "bpe_unit": "bytes", "bpe_n": "60"},
        ),
        lesson.Preset(
            _("The course's WordPiece sentence"),
            _("The slide cuts “automatique” in two; a real vocabulary cuts where its own text taught it to."),
            {"bpe_view": "real", "bpe_real": COURSE_WORDPIECE},
        ),
        lesson.Preset(
            _("Three choices, three vocabularies"),
            _("The same story: frequent pairs, bound pairs, and pruning. Step on and watch them part."),
            {
                "bpe_text": "marche",
                "bpe_view": "compare",
                "bpe_extra": "64",
                "bpe_three": "5",
                "bpe_same": COURSE_WORDPIECE,
            },
        ),
        lesson.Preset(
            _("A vocabulary that learns its text by heart"),
            _("With a minimum count of 1 merging goes on until the whole sentence is one token."),
            {"bpe_least": "1", "bpe_n": "20"},
        ),
    ]


def show(view: str, about: scene.Scene) -> None:
    """The chosen section; only what it needs is computed."""
    if view == "compare":
        compare.show(about)
        return
    trace = scene.trained(about)
    if view == "real":
        vocabularies.show(about, trace)
    elif trace is not None:
        {"train": train, "tokenise": tokenise, "curves": curves}[view].show(about, trace)


lesson.begin("bpe", _("Press play: pairs of symbols become pieces of words. Then bring a text of your own."))
lesson.presets("bpe", presets())
looking_at = scene.scene()
chosen = controls.choice(
    _("Look at"),
    {
        "train": _("Train"),
        "tokenise": _("Tokenise"),
        "compare": _("WordPiece and Unigram"),
        "real": _("Real vocabularies"),
        "curves": _("Curves"),
    },
    key="bpe_view",
    label_visibility="collapsed",
    wrap=True,
)
if chosen in ("compare", "real"):
    # The step of Train stays in the link while another section is shown.
    controls.hidden_field(moments.TRAINED, _("Step in the link"))
show(chosen, looking_at)
st.caption(
    _(
        "Nothing here is a trained model: every vocabulary is learnt from your text on this page, or read from "
        "the tables of its makers."
    )
)
