"""Real vocabularies: the same text in all of them, the price of a language, and their merges replayed."""

from __future__ import annotations

import streamlit as st

from dlviz.errors import DlvizError, Refused
from dlviz.intake.texts import document
from dlviz.language import bpe, sample_texts, vocabularies
from dlviz.language.results import Comparison, LanguagePrice, MergeTrace, VocabularyInfo
from dlviz.language.tokenizer_files import MAX_JSON
from dlviz.ui import charts, controls, lesson, models
from dlviz.ui.components.token_stepper import token_stepper
from dlviz.ui.language import _, latex, say
from dlviz.ui.uploaded import arrived, forget
from dlviz.views.bpe import files, quantities, tokenise, tokens
from dlviz.views.bpe.scene import Scene, sentence

OWN = "own"
_KEPT = "bpe_tokenizer"
ENGLISH, FRENCH = sample_texts.PRICE_PAIRS[1]


def show(scene: Scene, trace: MergeTrace | None) -> None:
    """The section."""
    upload = _upload()
    models.more("bpe_vocabularies", task="vocabulary", title=_("More vocabularies"))
    here = {info.name: info for info in vocabularies.available(tokenizer_json=upload)}
    titles = {name: _(info.title) for name, info in here.items()}
    if trace is not None:
        titles[OWN] = _("Your own")
    names = controls.choices(_("Vocabularies"), titles, key="bpe_vocabularies", default=list(titles), most=8)
    words = sentence("bpe_real", _("A sentence to tokenise"), FRENCH)
    try:
        compared = [_compared(name, words, trace, upload) for name in names]
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return
    if words.rstrip(" .") == sample_texts.COURSE_WORDPIECE:
        st.caption(
            _(
                "The slide cuts this sentence into “J ' adore le traitement auto matique du langage”. These are the "
                "cuts of real vocabularies."
            )
        )
    _side_by_side(compared, words)
    _notes([here[name] for name in names if name in here])
    st.subheader(_("The price of a language"), anchor=False)
    found = _price([name for name in names if name in here], upload)
    replayable = {name: titles[name] for name, info in here.items() if info.replays}
    if replayable:
        st.subheader(_("The merges of a real vocabulary"), anchor=False)
        _replay(replayable, words, upload)
    lesson.code(
        [
            (
                _("Each vocabulary reads the sentence by its own rules:"),
                vocabularies.tokenise,
                {"name": next(iter(here), "clip"), "text": words},
            ),
            (
                _("The merges of a real BPE are replayed by our own code:"),
                vocabularies.replay,
                {"name": next(iter(replayable), "clip"), "text": words},
            ),
        ],
        model=None,
    )
    files.show_compared(compared, found)


def _upload() -> str | None:
    """The visitor's own ``tokenizer.json``, kept for the session."""
    with st.expander(_("Bring a vocabulary of your own: tokenizer.json"), icon=":material/upload_file:"):
        name = f"bpe_tokenizer_file_{st.session_state.get('bpe_tokenizer_turn', 0)}"
        limit = MAX_JSON >> 20
        st.file_uploader(
            _("Drop a tokenizer.json here (at most {limit} MB)", limit=limit),
            key=name,
            max_upload_size=limit,
            on_change=_uploaded,
            args=(name,),
        )
        st.caption(
            _(
                "Only tables and rules are read; no code in a file is run. Whoever runs this server can add "
                "vocabularies for everyone: a folder with a tokenizer.json, named by DLVIZ_MODEL_DIRS."
            )
        )
    refusal = st.session_state.get("bpe_tokenizer_refusal")
    if refusal is not None:
        st.error(say(refusal), icon=":material/block:")
    return st.session_state.get(_KEPT)


def _uploaded(widget: str) -> None:
    file = arrived(widget)
    if file is None:
        return
    state = st.session_state
    state.pop("bpe_tokenizer_refusal", None)
    try:
        given = _json(file.getvalue())
        vocabularies.tokenise(vocabularies.UPLOAD, "a", tokenizer_json=given)
        state[_KEPT] = given
    except Refused as refusal:
        state["bpe_tokenizer_refusal"] = refusal
    forget(file)
    state["bpe_tokenizer_turn"] = state.get("bpe_tokenizer_turn", 0) + 1


def _json(data: bytes) -> str:
    """A file of JSON is UTF-8; anything else goes through the gate for texts, which says what is wrong."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return document(data).text


def _compared(name: str, words: str, trace: MergeTrace | None, upload: str | None) -> Comparison:
    if name == OWN and trace is not None:
        found = bpe.replay(trace, words).result
        title = _("Your own")
        return vocabularies.comparison(OWN, title, "bpe", trace.vocabulary_size, found, words)
    return vocabularies.tokenise(name, words, tokenizer_json=upload)


def _side_by_side(compared: list[Comparison], words: str) -> None:
    """The tokens of every vocabulary, one below the other, and their numbers as bars."""
    panels = [
        tokens.panel(
            _(one.title),
            one.tokens.tokens,
            _(
                "{tokens} tokens, {ratio} characters each, from {size} entries; {unknown} unknown.",
                tokens=len(one.tokens.tokens),
                ratio=round(one.characters_per_token, 2),
                size=one.size,
                unknown=one.unknown,
            ),
        )
        for one in compared
    ]
    token_stepper("bpe_real_tokens", panels, film=f"{words} {[one.name for one in compared]}", stacked=True)
    field = controls.choice(
        _("Compare"),
        {
            "tokens": _("tokens"),
            "characters_per_token": _("characters per token"),
            "tokens_per_word": _("tokens per word"),
        },
        key="bpe_field",
        wrap=True,
    )
    charts.show(
        quantities.compared(compared, field),
        key="bpe_real_bars",
        alt=_("The same sentence in several vocabularies."),
    )


def _notes(infos: list[VocabularyInfo]) -> None:
    with st.expander(_("About these vocabularies"), icon=":material/info:"):
        for info in infos:
            size = _("{size} entries", size=info.size)
            st.markdown(f"**{_(info.title)}** · {size} · {_(info.note)}")


def _price(names: list[str], upload: str | None) -> LanguagePrice | None:
    """The same sentence in English and in French."""
    left, right = st.columns(2)
    with left:
        first = sentence("bpe_english", _("In English"), ENGLISH)
    with right:
        second = sentence("bpe_french", _("In French"), FRENCH)
    if not names or not first.strip() or not second.strip():
        return None
    try:
        found = vocabularies.price(first, second, names, tokenizer_json=upload)
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return None
    charts.show(
        quantities.price(found),
        key="bpe_price",
        alt=_("Tokens of the same sentence in two languages."),
    )
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "The price of a language: the tokens of a sentence in one language, divided by the tokens of "
                    "the same sentence in the other."
                ),
                r"\frac{\text{tokens}_{\mathrm{fr}}}{\text{tokens}_{\mathrm{en}}}",
                r",\quad ".join(
                    rf"\frac{{{int(b)}}}{{{int(a)}}} = {latex(float(ratio), 2)}"
                    for a, b, ratio in zip(found.first, found.second, found.ratio, strict=True)
                ),
            )
        ]
    )
    return found


def _replay(titles: dict[str, str], words: str, upload: str | None) -> None:
    name = controls.choice(_("Vocabulary"), titles, key="bpe_replayed", style="pills", wrap=True)
    try:
        found = vocabularies.replay(name, words, tokenizer_json=upload)
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return
    if found.symbols.tokens:
        tokenise.firings("bpe_real_fired", found, f"{name} {words}")
        tokenise.round_trip(found.result.text, found.result.decoded, same=found.result.round_trip)
