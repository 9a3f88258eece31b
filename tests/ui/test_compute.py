"""The door: computed once for all under the model's lock; streams that end when the visitor moves on.

The zoo is replaced by a table of numbers, because what is tested here is how
the door uses it; Streamlit is the real one, under its own AppTest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import parse_tree_from_messages
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from dlviz import jobs
from dlviz.ui import compute
from tests.ui import science

IMAGE = np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8)


class Zoo:
    """Models are numbers; digests can be changed; locks say whether they are held."""

    def __init__(self) -> None:
        self.models = {"double": 2.0, "triple": 3.0}
        self.digests = {"double": "d1", "triple": "t1"}
        self.locks = {name: threading.RLock() for name in self.models}
        self.cold: dict[str, float] = {}  # seconds that a model's first load takes
        self.loads: list[str] = []

    def load(self, name: str) -> float:
        self.loads.append(name)
        time.sleep(self.cold.get(name, 0.0))
        self.cold.pop(name, None)
        return self.models[name]

    def loaded(self) -> tuple[str, ...]:
        return tuple(name for name in self.models if name not in self.cold)

    def card(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(title=f"The {name}r")

    def digest(self, name: str) -> str:
        return self.digests[name]

    def lock(self, name: str) -> threading.RLock:
        return self.locks[name]


@pytest.fixture(autouse=True)
def zoo(monkeypatch: pytest.MonkeyPatch) -> Zoo:
    zoo = Zoo()
    monkeypatch.setattr(compute, "zoo", zoo)
    monkeypatch.setattr(science, "ZOO", zoo)
    compute.empty_cache()
    science.CALLS.clear()
    return zoo


# -- run


def test_it_is_computed_once_and_every_byte_of_the_picture_counts() -> None:
    first = compute.run(science.row_means, image=IMAGE)
    assert compute.run(science.row_means, image=IMAGE.copy()) is first
    flipped = IMAGE.copy()
    flipped[400, 300, 1] ^= 1
    other = compute.run(science.row_means, image=flipped)
    assert science.CALLS["row_means"] == 2
    assert not np.array_equal(other.rows, first.rows)


def test_thirty_visitors_at_once_make_one_computation() -> None:
    with ThreadPoolExecutor(30) as visitors:
        answers = list(visitors.map(lambda _: compute.run(science.row_means, image=IMAGE), range(30)))
    assert science.CALLS["row_means"] == 1
    assert all(answer is answers[0] for answer in answers)


def test_results_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        compute.run(science.row_means, image=IMAGE).rows[0] = 1


def test_model_and_weights_are_part_of_the_key(zoo: Zoo) -> None:
    double = compute.run(science.scaled, model="double", image=IMAGE)
    triple = compute.run(science.scaled, model="triple", image=IMAGE)
    np.testing.assert_allclose(triple.rows, double.rows * 1.5)
    zoo.models["double"], zoo.digests["double"] = 4.0, "d2"
    np.testing.assert_allclose(compute.run(science.scaled, model="double", image=IMAGE).rows, double.rows * 2)
    assert science.CALLS["scaled"] == 3


def test_the_models_lock_is_held(zoo: Zoo) -> None:
    assert compute.run(science.is_locked, model="double") is True
    assert compute.run(science.is_locked, model="triple") is True


def test_errors_are_raised_and_not_kept() -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            compute.run(science.fails, image=IMAGE)
    assert science.CALLS["fails"] == 2


def test_what_cannot_be_a_key_or_a_shared_result_is_refused() -> None:
    with pytest.raises(TypeError):
        compute.run(science.row_means, image=object())
    with pytest.raises(TypeError):
        compute.run(lambda: 1)
    with pytest.raises(TypeError):
        compute.run(science.as_list, image=IMAGE)


def test_a_click_goes_before_a_jobs_next_step_on_the_same_model(zoo: Zoo) -> None:
    """Without the gate the job would take the lock again before the click wakes up, step after step."""
    job = jobs.submit(compute._under_lock(science.long_steps, "double", {}), visitor="long")
    assert job.news(5)
    waits = []
    for number in range(8):
        time.sleep(0.03)
        began = time.monotonic()
        compute.run(science.scaled, model="double", image=IMAGE[:8, :8] + number)
        waits.append(time.monotonic() - began)
    steps = job.steps
    job.cancel()
    assert job.wait(5)
    assert steps > 3
    assert max(waits) < 3 * science.STEP, "a click waits for the rest of one step, not for many"


def test_a_jobs_steps_and_its_closing_hold_the_lock_and_the_time_between_does_not(zoo: Zoo) -> None:
    work = compute._under_lock(science.locked_steps, "double", {})()
    assert next(work).value is True  # type: ignore[union-attr]
    assert not _held_elsewhere(zoo)
    science.LOCKED_AT_CLOSE.clear()
    work.close()
    assert science.LOCKED_AT_CLOSE == [True]
    assert not _held_elsewhere(zoo)


def _held_elsewhere(zoo: Zoo) -> bool:
    with ThreadPoolExecutor(1) as other:
        return other.submit(science.held_by_someone, "double").result()


# -- the words while a visitor waits


def loading_page() -> None:
    import numpy as np
    import streamlit as st

    from dlviz.ui import compute
    from tests.ui import science

    image = np.zeros((8, 8, 3), np.uint8)
    st.text(f"mean {compute.run(science.scaled, model='double', image=image).rows.mean()}")


def said_while_waiting(page: Callable[[], None], monkeypatch: pytest.MonkeyPatch, language: str) -> list[str]:
    """The spinners of one run: they are gone when it is over, so they are read off what was sent."""
    runners: list[LocalScriptRunner] = []
    start = LocalScriptRunner.start
    monkeypatch.setattr(LocalScriptRunner, "start", lambda s: (runners.append(s), start(s))[1])
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["lang"] = language
    app.run()
    assert not app.exception and texts(app) == ["mean 0.0"]
    sent = [m.delta.new_transient for m in runners[0].forward_msgs() if m.WhichOneof("type") == "delta"]
    return [element.spinner.text for shown in sent for element in shown.elements]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "The model The doubler is being loaded."), ("fr", "Le modèle The doubler est en cours")],
)
def test_a_cold_load_is_said_and_a_warm_one_is_not(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    zoo.cold["double"] = 1.0
    said = said_while_waiting(loading_page, monkeypatch, language)
    assert len(said) == 1 and said[0].startswith(words)
    assert said_while_waiting(loading_page, monkeypatch, language) == []


def test_a_long_computation_is_said_too(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = science.scaled
    monkeypatch.setattr(compute, "_computed", lambda *a: (time.sleep(1.0), scaled(2.0, **a[2]))[1])
    assert said_while_waiting(loading_page, monkeypatch, "en") == ["Computing"]


def test_a_click_during_a_load_does_not_throw_it_away(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.cold["double"] = 1.0
    running = Running(loading_page, monkeypatch)
    running._thread.start()
    assert until(lambda: zoo.loads)
    running.rerun(RerunData())
    assert texts(running.app) == ["mean 0.0"]
    assert zoo.loads == ["double"] and science.CALLS["scaled"] == 1


# -- stream


def page() -> None:
    import streamlit as st

    from dlviz.ui import compute
    from tests.ui import science

    settings = st.session_state.get("settings", {})
    st.slider("steps", 1, 10_000, 20, key="steps")
    picture = st.empty()
    value = compute.stream(
        science.count_up,
        key="test_count",
        on_frame=lambda frame: picture.text(f"frame {frame}"),
        label="Counting",
        steps=st.session_state.steps,
        **settings,
    )
    st.text(f"value {None if value is None else value.rows.size}")


def texts(app: AppTest) -> list[str]:
    return [text.value for text in app.text]


def keys(app: AppTest) -> list[str | None]:
    return [button.key for button in app.button]


def test_the_result_is_returned_kept_and_its_controls_are_gone() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    assert not app.exception
    assert texts(app) == ["frame 19", "value 20"]
    assert keys(app) == []
    app.run()
    assert texts(app) == ["value 20"]
    assert science.CALLS["count_up"] == 1
    app.slider(key="steps").set_value(7).run()
    assert texts(app)[-1] == "value 7"


def test_the_kept_result_is_read_only() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    _name, value = app.session_state["test_count_finished"]
    with pytest.raises(ValueError, match="read-only"):
        value.rows[0] = 1


def test_an_error_of_the_work_is_the_pages() -> None:
    app = AppTest.from_function(page, default_timeout=20)
    app.session_state["settings"] = {"pause": -1.0}
    app.run()
    assert len(app.exception) == 1
    assert science.CLOSED.wait(5)


def test_a_visitor_who_leaves_takes_the_work_along() -> None:
    """AppTest's time-out stops the script as a closed tab does."""
    app = AppTest.from_function(page, default_timeout=1.0)
    app.session_state["steps"] = 10_000
    with pytest.raises(RuntimeError, match="timed out"):
        app.run()
    assert science.CLOSED.wait(1.0), "the generator is closed"
    assert jobs.open_jobs() == 0


def test_busy_is_said_in_the_visitors_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLVIZ_MAX_MEMORY_MB", "1")
    compute.run(science.row_means, image=IMAGE)
    app = AppTest.from_function(page, default_timeout=20)
    app.session_state["lang"] = "fr"
    app.run()
    assert "mémoire" in app.warning[0].value
    assert texts(app) == ["value None"]
    assert science.CALLS["count_up"] == 0
    compute.run(science.row_means, image=IMAGE)
    assert science.CALLS["row_means"] == 2, "the cache was emptied before the work was refused"
    monkeypatch.delenv("DLVIZ_MAX_MEMORY_MB")
    app.run()
    assert texts(app)[-1] == "value 20"


def test_with_a_start_button_nothing_runs_before_it() -> None:
    app = AppTest.from_function(page, default_timeout=20)
    app.session_state["settings"] = {"start": "Count now"}
    app.run()
    assert science.CALLS["count_up"] == 0
    assert [button.label for button in app.button] == ["Count now"]
    app.button(key="test_count_start").click().run()
    assert texts(app)[-1] == "value 20"
    app.slider(key="steps").set_value(9).run()
    assert science.CALLS["count_up"] == 1, "new settings wait for the button again"


def test_a_plain_function_in_a_process_of_its_own() -> None:
    def process_page() -> None:
        import numpy as np
        import streamlit as st

        from dlviz.ui import compute
        from tests.ui import science

        value = compute.stream(
            science.fit, key="test_fit", lane="process", points=np.arange(12.0).reshape(6, 2)
        )
        st.text(f"{value.rows.tolist()} {value.label}")

    app = AppTest.from_function(process_page, default_timeout=30).run()
    assert not app.exception
    values, process = texts(app)[0].rsplit(" ", 1)
    assert values == "[0.5, 2.5, 4.5, 6.5, 8.5, 10.5]"
    assert process != science.process_id()


# -- the visitor acts while the work runs: the real script runner, its requests sent as the browser would


class Running:
    """A page whose script runs in the background, and the requests a browser would send meanwhile."""

    def __init__(self, function: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
        self._runners: list[LocalScriptRunner] = []
        start = LocalScriptRunner.start
        monkeypatch.setattr(LocalScriptRunner, "start", lambda s: (self._runners.append(s), start(s))[1])
        self.app = AppTest.from_function(function, default_timeout=30)
        self.app.session_state["steps"] = 10_000
        self._thread = threading.Thread(target=self.app.run)

    def start(self) -> None:
        self._thread.start()
        assert until(lambda: any("frame" in text for text in self.now_texts()))

    def now(self) -> AppTest:
        return parse_tree_from_messages(list(self._runners[0].forward_msgs()))

    def now_texts(self) -> list[str]:
        return [text.value for text in self.now().text] if self._runners else []

    def click(self, key: str, fragment: str | None = None) -> float:
        """Press a button; returns when the script it belongs to is over, with the seconds it took."""
        states = WidgetStates()
        pressed = states.widgets.add()
        pressed.id = next(b.id for b in self.now().button if b.key == key)
        pressed.trigger_value = True
        return self.rerun(RerunData(widget_states=states, fragment_id=fragment))

    def rerun(self, data: RerunData) -> float:
        began = time.monotonic()
        self._runners[0].request_rerun(data)
        self._thread.join(10)
        assert not self._thread.is_alive()
        return time.monotonic() - began

    def fragment(self) -> str:
        deltas = [
            m.delta.fragment_id for m in self._runners[0].forward_msgs() if m.WhichOneof("type") == "delta"
        ]
        return next(fragment for fragment in deltas if fragment)


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    yield Running(page, monkeypatch)


def test_the_stop_button(running: Running) -> None:
    running.start()
    assert running.now().get("progress")
    took = running.click("test_count_stop")
    assert science.CLOSED.wait(0.5) and took < 2
    assert keys(running.app) == ["test_count_start"]
    assert texts(running.app) == ["value None"]
    running.app.session_state["steps"] = 10_000
    running.app.run()
    assert science.CALLS["count_up"] == 1, "what was stopped stays stopped"
    running.app.slider(key="steps").set_value(5).run()
    assert texts(running.app)[-1] == "value 5", "other settings run"


def test_what_was_stopped_can_be_started_again(running: Running) -> None:
    running.start()
    running.click("test_count_stop")
    running.app.default_timeout = 1.0
    with pytest.raises(RuntimeError, match="timed out"):
        running.app.button(key="test_count_start").click().run()
    assert science.CALLS["count_up"] == 2
    assert science.CLOSED.wait(1)


def test_a_rerun_cancels_and_does_not_wait(running: Running) -> None:
    running.start()
    states = WidgetStates()
    moved = states.widgets.add()
    moved.id = running.now().get("slider")[0].id
    moved.double_array_value.data[:] = [3.0]
    assert running.rerun(RerunData(widget_states=states)) < 2
    assert science.CALLS["count_up"] == 2
    assert texts(running.app)[-1] == "value 3"


def fragment_page() -> None:
    import streamlit as st

    from dlviz.ui import compute
    from tests.ui import science

    @st.fragment
    def piece() -> None:
        picture = st.empty()
        compute.stream(
            science.count_up,
            key="test_count",
            on_frame=lambda frame: picture.text(f"frame {frame}"),
            steps=st.session_state.steps,
        )

    piece()
    st.text("after the fragment")


def test_the_stop_button_inside_a_fragment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fragment's rerun does not end a running script by itself: the stream must see it coming."""
    running = Running(fragment_page, monkeypatch)
    running.start()
    took = running.click("test_count_stop", fragment=running.fragment())
    assert science.CLOSED.wait(0.5) and took < 2
    assert science.CALLS["count_up"] == 1
    assert "test_count_start" in keys(running.app)
