"""The bundled network: shapes, names, and the residual sum that a hook reads."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dlviz.vision.residual_cnn import Add, ResidualBlock, ResidualCNN


@pytest.fixture(scope="module")
def model() -> ResidualCNN:
    torch.manual_seed(0)
    return ResidualCNN(class_count=101).eval()


def test_the_bundled_size_fits_ten_megabytes_in_half_precision(model: ResidualCNN) -> None:
    # 2 bytes a number; the stages below are counted by hand:
    stem = 3 * 48 * 7 * 7 + 2 * 48
    stage0 = 4 * (48 * 48 * 9 + 2 * 48)
    stage1 = 48 * 96 * 9 + 3 * 96 * 96 * 9 + 48 * 96 + 5 * 2 * 96
    stage2 = 96 * 192 * 9 + 3 * 192 * 192 * 9 + 96 * 192 + 5 * 2 * 192
    stage3 = 192 * 256 * 9 + 3 * 256 * 256 * 9 + 192 * 256 + 5 * 2 * 256
    head = 256 * 101 + 101
    count = sum(p.numel() for p in model.parameters())
    assert count == stem + stage0 + stage1 + stage2 + stage3 + head == 3_857_429
    assert 2 * count < 10_000_000


def test_names_stand_in_the_order_of_the_forward_pass(model: ResidualCNN) -> None:
    seen: list[str] = []
    leaves = {n: m for n, m in model.named_modules() if not list(m.children())}
    handles = [m.register_forward_hook(lambda *_, name=n: seen.append(name)) for n, m in leaves.items()]
    model(torch.zeros(1, 3, 64, 64))
    for handle in handles:
        handle.remove()
    assert seen[:6] == [f"stem.{n}" for n in ("conv", "norm", "act", "pool")] + [
        "stages.0.0.conv1",
        "stages.0.0.norm1",
    ]
    assert seen[-3:] == ["pool", "flatten", "head"]
    assert set(seen) == set(leaves)
    assert len(seen) == len(leaves), "every module is used once, so a hook's reading is unambiguous"


def test_every_block_names_its_steps_and_no_activation_works_in_place(model: ResidualCNN) -> None:
    names = {"conv1", "norm1", "act1", "conv2", "norm2", "shortcut", "sum", "act2"}
    blocks = [m for m in model.modules() if isinstance(m, ResidualBlock)]
    assert len(blocks) == 8
    assert all({n for n, _ in block.named_children()} == names for block in blocks)
    assert not any(m.inplace for m in model.modules() if isinstance(m, nn.ReLU))


@pytest.mark.parametrize(("side", "cells"), [(128, [32, 16, 8, 8]), (97, [25, 13, 7, 7])])
def test_maps_shrink_by_the_strides(model: ResidualCNN, side: int, cells: list[int]) -> None:
    x = model.stem(torch.zeros(2, 3, side, side))
    for stage, channels, cell in zip(model.stages, (48, 96, 192, 256), cells, strict=True):
        x = stage(x)
        assert x.shape == (2, channels, cell, cell)


def test_the_residual_sum_can_be_read_and_is_a_sum() -> None:
    torch.manual_seed(1)
    block = ResidualBlock(4, 6, stride=2).eval()
    nn.init.normal_(block.norm2.weight)
    terms: dict[str, torch.Tensor] = {}

    def keep(_module: Add, given: tuple, output: torch.Tensor) -> None:
        terms.update(residual=given[0], shortcut=given[1], total=output)

    block.sum.register_forward_hook(keep)
    x = torch.randn(2, 4, 10, 10)
    y = block(x)
    torch.testing.assert_close(terms["shortcut"], block.shortcut(x))
    torch.testing.assert_close(terms["total"], terms["residual"] + terms["shortcut"])
    torch.testing.assert_close(y, terms["total"].clamp(min=0))


def test_a_fresh_block_is_its_shortcut() -> None:
    """`norm2` starts with zero gain: y = ReLU(x), worked by hand."""
    block = ResidualBlock(3, 3).eval()
    x = torch.randn(1, 3, 5, 5)
    torch.testing.assert_close(block(x), x.clamp(min=0))


def test_arguments_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        ResidualCNN(3, stage_channels=(8, 16))
    with pytest.raises(ValueError, match="odd"):
        ResidualCNN(3, stem_kernel=6)
