"""Each fuzz target passes on its seeds, on their beginnings, and on damaged seeds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target

SEEDS = [
    pytest.param(target, seed, id=f"{name}-{number}")
    for name, target in TARGETS.items()
    for number, seed in enumerate(target.seeds)
]


@pytest.mark.parametrize(("target", "seed"), SEEDS)
def test_a_target_passes_on_a_seed_and_its_beginnings(target: Target, seed: bytes) -> None:
    step = max(1, len(seed) // 50)
    for length in range(0, len(seed) + 1, step):
        target.one_input(seed[:length])
    target.one_input(seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_target_passes_on_damaged_seeds(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds))
    at = data.draw(st.integers(0, len(seed)))
    target.one_input(seed[:at] + data.draw(st.binary(max_size=20)) + seed[at:])
