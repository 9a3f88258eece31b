"""The device policy on any machine: what is chosen, what is refused, and how many threads."""

import subprocess
import sys

import pytest
import torch

from dlviz.errors import NotAvailable
from dlviz.zoo import device

NO_GPU = not torch.cuda.is_available() and not torch.backends.mps.is_available()


def chosen(monkeypatch, choice):
    monkeypatch.setenv("DLVIZ_DEVICE", choice)
    return device.policy()


def test_the_cpu_computes_in_float32(monkeypatch):
    policy = chosen(monkeypatch, "cpu")
    assert (policy.device, policy.dtype, policy.generator_dtype) == (
        torch.device("cpu"),
        torch.float32,
        torch.float32,
    )
    assert (policy.name, policy.precision) == ("CPU", "float32")


@pytest.mark.skipif(not NO_GPU, reason="this machine has an accelerator")
def test_auto_is_the_cpu_where_there_is_nothing_else(monkeypatch):
    assert chosen(monkeypatch, "auto").device.type == "cpu"


@pytest.mark.parametrize("choice", ["cuda:63", "mps" if not torch.backends.mps.is_available() else "cuda:64"])
def test_a_device_that_is_not_there_is_refused_with_what_is(monkeypatch, choice):
    with pytest.raises(NotAvailable, match=f"{choice}.*not on this machine.*cpu"):
        chosen(monkeypatch, choice)


@pytest.mark.parametrize("choice", ["gpu", "", "cuda:x", "meta", "xla"])
def test_a_word_that_is_no_device_is_refused(monkeypatch, choice):
    with pytest.raises(NotAvailable, match="cpu, cuda"):
        chosen(monkeypatch, choice)


def test_a_container_quota_limits_the_processors(tmp_path):
    quota = tmp_path / "cpu.max"
    quota.write_text("150000 100000\n")
    every = device.processors(tmp_path / "absent")
    assert device.processors(quota) == min(2, every)
    quota.write_text("20000 100000\n")
    assert device.processors(quota) == 1
    quota.write_text("max 100000\n")
    assert device.processors(quota) == every >= 1


def test_the_operators_own_number_of_threads_is_kept():
    code = "from dlviz.zoo import device; print(device.use_threads())"
    environment = {"OMP_NUM_THREADS": "1", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
