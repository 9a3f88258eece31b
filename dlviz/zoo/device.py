"""Where networks run and in which precision: one policy for the whole server.

``DLVIZ_DEVICE`` chooses: ``auto`` (the first GPU that works, else the CPU), ``cpu``, ``cuda``,
``cuda:1`` or ``mps``. Asking for a device that is not there is an error that says so at the start; a
silent fall to the CPU would be found by a class waiting in front of a slow page.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.settings import settings

if TYPE_CHECKING:
    import torch

# Largest difference between a GPU's numbers and the CPU's, relative to the largest number of the tensor.
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class DevicePolicy:
    """The device, and the precision for each kind of network.

    Attributes
    ----------
    device
        Where every network stands.
    dtype
        Precision of classifiers and of everything whose numbers a page shows: float32 on each device.
    generator_dtype
        Precision of large generators (diffusion, language), whose pictures and words are shown and not
        their numbers: bfloat16 where the GPU computes in it, for it halves the memory and the time.
    """

    device: torch.device
    dtype: torch.dtype
    generator_dtype: torch.dtype

    @property
    def name(self) -> str:
        """The device as the footer shows it, for instance ``NVIDIA H100`` or ``CPU``."""
        import torch

        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return {"mps": "Apple GPU"}.get(self.device.type, "CPU")

    @property
    def precision(self) -> str:
        """The precision as the footer shows it: ``float32``."""
        return str(self.dtype).removeprefix("torch.")


def policy() -> DevicePolicy:
    """The policy in force; the hardware is asked once for each choice."""
    return _policy(settings().device)


@cache
def _policy(choice: str) -> DevicePolicy:
    """Settle the device and the global switches of torch that go with it.

    Convolutions and matrix products stay in true float32. By default an NVIDIA GPU rounds the inputs of
    a convolution to TF32 (10 bits of mantissa), which is faster and moves a feature map by about one
    part in a thousand. A page that takes a number apart into its terms must show terms that sum to it,
    and the same photo must give the same numbers on the teacher's laptop and on the server. These
    networks are small enough for float32 to answer at once.
    """
    import torch

    device = _device(choice)
    generators = torch.float32
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        generators = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    elif device.type == "mps":
        generators = torch.float16
    return DevicePolicy(device, torch.float32, generators)


def _device(choice: str) -> torch.device:
    import torch

    if choice == "auto":
        choice = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        device = torch.device(choice)
    except RuntimeError:
        device = None
    if device is None or device.type not in {"cpu", "cuda", "mps"}:
        raise NotAvailable(
            N_("DLVIZ_DEVICE is “{choice}”. It can be auto, cpu, cuda, cuda:1 (or another number) or mps."),
            choice=choice,
        )
    if not _is_there(device):
        raise NotAvailable(
            N_("The device “{choice}” is not on this machine. These are: {found}."),
            choice=choice,
            found=", ".join(available()),
        )
    return device


def _is_there(device: torch.device) -> bool:
    name = str(device) if device.index is not None else device.type
    return name in available() or f"{name}:0" in available() or str(device) == "cpu:0"


@cache
def available() -> tuple[str, ...]:
    """Names of the devices that torch can use here, the CPU first."""
    import torch

    found = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return (*found, "mps") if torch.backends.mps.is_available() else tuple(found)


@cache
def use_threads() -> int:
    """Let torch use half of the processors that this server may use; the only place that sets this.

    In a container torch counts the processors of the whole host. A server that may use two of 64 would
    then start 64 threads for every convolution, which wait for each other. And all of its processors are never
    free: while one visitor's convolution waits for its slowest thread, the pages of others are made
    (``docs/decisions/threads.md``). ``OMP_NUM_THREADS``, where the operator has set it, is left alone.
    """
    import torch

    if not os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(max(1, processors() // 2))
    return torch.get_num_threads()


def processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Processors that this process may use: by its affinity, and by its container's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        return max(1, min(count, math.ceil(int(allowed) / int(period))))
    except (OSError, ValueError):  # no such file outside Linux; "max" where there is no quota
        return count
