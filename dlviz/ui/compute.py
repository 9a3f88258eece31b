"""The one door from a page to the science.

A page names a function and a model; the door takes the model from the zoo,
holds its lock, computes once for all visitors, and sends long work to the jobs
room::

    maps = compute.run(cnn_filters.feature_maps, model="residual_cnn", image=image, layer="layer2")
    best = compute.stream(cnn_filters.maximise, model="residual_cnn", key="cnn_filters_dream",
                          on_frame=lambda dream: picture.image(dream.image), layer="layer2", channel=3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from dlviz import jobs, memory, zoo
from dlviz.errors import Busy, DlvizError
from dlviz.events import Frame, Progress, Result, Work
from dlviz.settings import settings
from dlviz.ui.fingerprint import dotted_name, fingerprint
from dlviz.ui.language import _, say
from dlviz.ui.shared_results import SharedResults, freeze

T = TypeVar("T")

CACHE_BYTES = min(512 * 2**20, memory.machine_bytes() // 10)
"""What the shared results may hold."""

LOOK_AROUND = 0.05
"""Seconds between two looks at whether the visitor has moved on; also the least between two frames."""

_results = SharedResults(CACHE_BYTES)


def run(function: Callable[..., T], *, model: str | None = None, **arguments: object) -> T:
    """``function(zoo.load(model), **arguments)``, computed once for all visitors.

    Parameters
    ----------
    function
        A science function at the top level of its module. Without ``model``
        it is called with the arguments alone.
    model
        Name of a card in the zoo.
    arguments
        Arrays, numbers, text, enums, and tuples or frozen dataclasses of
        these; every byte of them is part of the key.

    Returns
    -------
    object
        The function's result, shared with everyone else who asks the same:
        its arrays are read-only.

    Raises
    ------
    TypeError
        An argument cannot be part of a key, or the result cannot be shared.
    """
    key = _key(function, model, arguments)
    # What is kept comes at once: a change of layer is too quick for a word, and pays for none.
    with nullcontext() if key in _results else _waiting(model, _("Computing")):
        return _results.get(key, lambda: _computed(function, model, arguments))


def load(model: str) -> None:
    """Bring a model into memory, and say so on the page while it takes long; what has it already returns at once.

    Raises
    ------
    DlvizError
        What :func:`dlviz.zoo.load` raises, with a message for the visitor.
    """
    with _waiting(model):
        zoo.load(model)


@contextmanager
def _waiting(model: str | None, otherwise: str = "") -> Iterator[None]:
    """Say what the visitor waits for if it takes half a second: a model's cold load, or ``otherwise``.

    The words stand around the load and never inside it: one visitor's load serves all who wait for it, and
    a call of Streamlit's inside would let a click of that visitor throw it away for everyone.
    """
    if model is not None and model not in zoo.loaded():
        text = _("The model {model} is being loaded.", model=_(zoo.card(model).title))
    else:
        text = otherwise
    # Outside a page (a test, a thread of the server's) there is nobody to tell.
    spoken = text and get_script_run_ctx() is not None
    with st.spinner(text, show_time=True) if spoken else nullcontext():
        yield


def empty_cache() -> None:
    """Forget all shared results; they are computed again when asked for."""
    _results.empty()


def _key(function: Callable[..., object], model: str | None, arguments: dict[str, object]) -> str:
    digest = zoo.digest(model) if model is not None else ""
    return f"{dotted_name(function)} {digest} {fingerprint(arguments)}"


def _computed(function: Callable[..., T], model: str | None, arguments: dict[str, object]) -> T:
    if model is None:
        with jobs.interactive():
            return function(**arguments)
    network = zoo.load(model)
    with jobs.interactive(), zoo.lock(model):
        return function(network, **arguments)


def stream(
    function: Callable[..., Work],
    *,
    model: str | None = None,
    key: str,
    on_frame: Callable[[Any], None] | None = None,
    lane: jobs.Lane = "device",
    label: str | None = None,
    start: str | None = None,
    **arguments: object,
) -> Any:
    """Run long work as a job, with its progress and a stop button, and return the value of its ``Result``.

    Call it last in the page's script, or in a fragment: the script stays here
    until the work is over. When the visitor changes a control, leaves the page
    or closes the tab, the work is cancelled within one step.

    Parameters
    ----------
    function
        A science function that is a generator of :mod:`dlviz.events`. Between
        two events the model must be as it was found (hooks removed), because
        others use it then.
    key
        Of the form ``<stem>_<name>``; names the widgets shown here, and the
        finished result, which is shown again on the next run without computing.
    on_frame
        Called with the value of the latest ``Frame``.
    lane
        ``"process"`` for a function that cannot yield every 50 ms; it takes no
        model, and its arguments are pickled.
    label
        Name of the work beside its progress, in the visitor's language.
    start
        Text of a button to press first, in the visitor's language. Without it
        the work starts at once.

    Returns
    -------
    object or None
        ``None`` when it was stopped, or has not been started.
    """
    name = _key(function, model, arguments)
    finished = st.session_state.get(f"{key}_finished")
    if finished is not None and finished[0] == name:
        return finished[1]
    area = st.empty()
    if not _wanted(area, key, name, start):
        return None
    job = _submit(area, function, model, lane, arguments)
    value = None if job is None else _follow(job, area, key, name, label, on_frame)
    if value is not None:
        st.session_state[f"{key}_finished"] = (name, value)
    return value


def _wanted(area: Any, key: str, name: str, start: str | None) -> bool:
    """Whether to compute now; otherwise show the button that asks for it."""
    stopped = st.session_state.get(f"{key}_stopped") == name
    asked = start is None or st.session_state.get(f"{key}_asked") == name
    if stopped:
        _offer(area, key, name, _("Start again"), _("Stopped before the end."))
    elif not asked:
        _offer(area, key, name, start or "")
    return asked and not stopped


def _offer(area: Any, key: str, name: str, text: str, note: str = "") -> None:
    with area.container(horizontal=True, vertical_alignment="center"):
        st.button(text, key=f"{key}_start", icon=":material/play_arrow:", on_click=_ask, args=(key, name))
        if note:
            st.caption(note)


def _ask(key: str, name: str) -> None:
    st.session_state[f"{key}_asked"] = name
    st.session_state[f"{key}_stopped"] = None


def _stop(key: str, name: str) -> None:
    st.session_state[f"{key}_stopped"] = name


def _submit(
    area: Any, function: Callable[..., Work], model: str | None, lane: jobs.Lane, arguments: dict[str, object]
) -> jobs.Job | None:
    """Hand the work in; a server that is too busy says so in place of the progress."""
    work: Callable[[], Work] | jobs.Call
    if lane == "process":
        if model is not None:
            raise TypeError("A model does not travel to another process: use the device lane.")
        module, _dot, name = dotted_name(function).rpartition(".")
        work = jobs.Call(f"{module}:{name}", arguments)
    else:
        work = _under_lock(function, model, arguments)
    try:
        memory.make_room(empty_cache)
        context = get_script_run_ctx()
        visitor = context.session_id if context else "nobody"
        return jobs.submit(work, visitor=visitor, lane=lane, per_visitor=settings().jobs_per_visitor)
    except Busy as busy:
        area.warning(say(busy), icon=":material/hourglass_top:")
        return None


def _under_lock(
    function: Callable[..., Work], model: str | None, arguments: dict[str, object]
) -> Callable[[], Work]:
    """Work whose every step, and whose closing, happens under the model's lock.

    The model is loaded here, in the visitor's own thread, so that a cold load
    does not hold up everyone else's steps.
    """
    if model is None:
        return lambda: function(**arguments)
    with _waiting(model):
        network = zoo.load(model)

    def work() -> Work:
        steps = function(network, **arguments)
        try:
            while True:
                with zoo.lock(model):
                    try:
                        event = next(steps)
                    except StopIteration:
                        return
                yield event
        finally:
            with zoo.lock(model):
                steps.close()

    return work


def _follow(
    job: jobs.Job, area: Any, key: str, name: str, label: str | None, on_frame: Callable[[Any], None] | None
) -> Any:
    """Show a job's news until it is over, or until the visitor has moved on."""
    value = None
    try:
        with area.container(horizontal=True, vertical_alignment="center"):
            # The button first: it must not move under the pointer when what stood here before goes.
            st.button(_("Stop"), key=f"{key}_stop", icon=":material/stop:", on_click=_stop, args=(key, name))
            bar = st.progress(0.0, text=_said(label, _("Starting")))
        while True:
            news = job.news(LOOK_AROUND)
            if _moved_on():
                _offer(area, key, name, _("Start again"), _("Stopped before the end."))
                st.stop()
            for event in news:
                if isinstance(event, Result):
                    value = event.value
                    freeze(value)
                elif isinstance(event, Frame):
                    if on_frame is not None:
                        on_frame(event.value)
                else:
                    bar.progress(*_progress(event, label))
            if not news and job.over:
                break
            job.rest(LOOK_AROUND)
    except DlvizError:
        # The page says what went wrong; a button that was pressed stands there again.
        st.session_state[f"{key}_asked"] = None
        area.empty()
        raise
    finally:
        job.cancel()
    area.empty()
    return value


def _moved_on() -> bool:
    """Whether the visitor has touched another part of the page; ends the run if it was the whole page.

    Reading the session's state raises what Streamlit raises for a rerun or a
    stop of the whole script, and sends nothing. A fragment's rerun never ends
    a running script: it would wait until the work is over, a stop button in
    the same fragment included, so the caller ends the run for it.
    """
    "lang" in st.session_state  # noqa: B015 - read for its effect
    requests = getattr(get_script_run_ctx(), "script_requests", None)
    return requests is not None and requests._state is ScriptRequestType.RERUN


def _progress(event: Progress | jobs.Queued, label: str | None) -> tuple[float, str]:
    if isinstance(event, jobs.Queued):
        return 0.0, _said(
            label, _("Waiting for the others, number {position} in the queue", position=event.position)
        )
    share = event.done / event.total if event.total else 0.0
    return min(1.0, share), _said(label, _("{done} of {total}", done=event.done, total=event.total))


def _said(label: str | None, state: str) -> str:
    return f"{label} · {state}" if label else state
