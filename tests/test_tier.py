"""What may be judged: random alterations of recipe, protocol and record, and never a verdict on a changed one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.collate.judging.effects import EFFECTS
from benchmark.collate.judging.tier import HARMLESS, LOOKS, tier_of
from benchmark.collate.judging.verdict import judge
from benchmark.collate.statistics.interval import estimate
from benchmark.errors import GanbenchError
from benchmark.recipe import Protocol, Recipe
from benchmark.records.record import Record
from benchmark.suite.load import load
from benchmark.suite.model import METRICS, Cell, Published, Tolerance

SUITES = ("theory", "gran", "pgn", "chain")
JUDGING = ("reproduced", "better", "not reproduced")
CELLS = {name: next(c for c in load(Path(f"suites/{name}.yaml")).cells if c.published) for name in SUITES}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 10**6),
    st.floats(0, 100, allow_nan=False),
    st.sampled_from(["train", "test", "none", "ema", "raw", "last", "best", "FID", "mnist", "shapes"]),
)


def whole(cell: Cell, **changes: Any) -> Record:
    """A finished record of what the paper did, to the last step."""
    fields = dict(
        run="",
        evaluation="",
        seed=0,
        profile="full",
        cell=cell.id,
        recipe=cell.full_recipe,
        protocol=cell.full_protocol,
        versions={},
        measure_version=1,
        status="finished",
        steps=10**9,
        total_steps=10**9,
        epochs=1.0,
        final={},
        history=[],
        samples="",
        train_s=0.0,
        eval_s=0.0,
        content="",
        subset="",
        provenance={},
    )
    return Record(**(fields | changes))


def verdicts(cell: Cell, record: Record) -> set[str]:
    """What could be said about a published 10 from this record, on it, near it and far off."""
    tier = tier_of(cell, record)
    v = Published("10", 10.0, None, None, "own")
    return {
        judge(v, estimate([x, x + 0.01, x + 0.02]), 0, [tier], d, Tolerance(0.05, "test"), "").name
        for x in (10.0, 1.0, 90.0)
        for d in ("lower", "higher")
    }


@pytest.mark.parametrize("name", SUITES)
def test_the_papers_own_recipe_is_judged(name: str) -> None:
    assert tier_of(CELLS[name], whole(CELLS[name])).name == "exact"
    assert verdicts(CELLS[name], whole(CELLS[name])) == set(JUDGING)


def _altered(thing: Recipe | Protocol, field: str, value: Any) -> Recipe | Protocol | None:
    """With one field changed; None where the class itself refuses the value."""
    try:
        return dataclasses.replace(thing, **{field: value})
    except (GanbenchError, TypeError):
        return None


@given(name=st.sampled_from(SUITES), data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_no_altered_recipe_or_protocol_is_ever_judged(name: str, data: st.DataObject) -> None:
    """Any number of fields, any values, any profile name: a judged tier means that nothing but harmless fields
    differ.
    """
    cell = CELLS[name]
    recipe, protocol = cell.full_recipe, cell.full_protocol
    named = st.tuples(
        st.sampled_from(["mlp", "hinge", "other"]),
        st.dictionaries(st.sampled_from(["width", "margin", "d_scale"]), st.floats(0, 2), max_size=2),
    )
    for _ in range(data.draw(st.integers(1, 3))):
        on_recipe = data.draw(st.booleans())
        field = data.draw(st.sampled_from([f.name for f in dataclasses.fields(Recipe if on_recipe else Protocol)]))
        value = data.draw(
            {
                "network": named,
                "loss": named,
                "parts": st.lists(named, max_size=3).map(tuple),
                "metrics": st.lists(st.sampled_from(METRICS), min_size=1, unique=True).map(tuple),
            }.get(field, VALUES)
        )
        if field in ("dataset", "split", "data_percent", "images", "epochs", "steps", "batch_d", "n_dis"):
            continue  # below, with values that a run can have
        changed = _altered(recipe if on_recipe else protocol, field, value)
        recipe, protocol = (changed or recipe, protocol) if on_recipe else (recipe, changed or protocol)
    record = whole(
        cell, recipe=recipe, protocol=protocol, profile=data.draw(st.sampled_from(["full", "reduced", "ci"]))
    )
    before, after = cell.full_recipe.to_json() | cell.full_protocol.to_json(), recipe.to_json() | protocol.to_json()
    fields = {
        k
        for k in before.keys() | after.keys()
        if (sorted(before[k]) != sorted(after[k]) if k == "metrics" else before.get(k) != after.get(k))
    }
    harmful = fields - (
        HARMLESS.keys() - (set() if before.get("checkpoint") == after.get("checkpoint") == "last" else set(LOOKS))
    )
    judged = tier_of(cell, record).judged
    assert judged == (not harmful), (fields, harmful)
    assert judged or not verdicts(cell, record) & set(JUDGING)
    assert {d.field for d in tier_of(cell, record).fields} == fields


@given(
    name=st.sampled_from(SUITES),
    dataset=st.sampled_from(["mnist", "shapes", "cifar10", "cifar10-jpeg"]),
    percent=st.sampled_from([100.0, 50.0, 10.0]),
    images=st.sampled_from([None, 1000]),
    share=st.floats(0.001, 2),
    batch=st.sampled_from([32, 64, 128]),
    n_dis=st.sampled_from([1, 2, 5]),
)
@settings(max_examples=200, deadline=None)
def test_no_other_data_length_or_batch_is_ever_judged(
    name: str, dataset: str, percent: float, images: int | None, share: float, batch: int, n_dis: int
) -> None:
    cell = CELLS[name]
    full = cell.full_recipe
    length = {"epochs": max(1, int(share * full.epochs))} if full.epochs else {"steps": max(1, int(share * full.steps))}
    changes = dict(dataset=dataset, data_percent=percent, images=images, batch_d=batch, n_dis=n_dis, **length)
    try:
        recipe = dataclasses.replace(full, **changes)
    except GanbenchError:
        return
    assert tier_of(cell, whole(cell, recipe=recipe)).judged == (recipe == full)


@given(
    name=st.sampled_from(SUITES),
    status=st.sampled_from(["finished", "partial"]),
    steps=st.integers(0, 10**6),
    claimed=st.integers(0, 10**6),
)
@settings(max_examples=300, deadline=None)
def test_a_short_run_is_not_judged_whatever_it_calls_itself(name: str, status: str, steps: int, claimed: int) -> None:
    cell = CELLS[name]
    r = cell.full_recipe
    needed = r.steps or r.total_steps({"mnist": 60_000}[r.dataset])
    record = whole(cell, status=status, steps=steps, total_steps=claimed)
    assert tier_of(cell, record).judged == (status == "finished" and steps >= max(needed, claimed))


@pytest.mark.parametrize("name", ["theory", "gran", "pgn", "chain", "sdp"])
def test_reduced_and_ci_are_never_judged(name: str) -> None:
    suite = load(Path(f"suites/{name}.yaml"))
    for profile in (p for p in suite.profiles if p != "full"):
        for cell in load(suite.path, profile).cells:
            record = whole(cell, recipe=cell.recipe, protocol=cell.protocol, profile="full")
            assert not tier_of(cell, record).judged, cell.id
            assert verdicts(cell, record) == {"incomparable"}


def test_known_effects_stand_beside_the_difference_with_their_source() -> None:
    cell = CELLS["gran"]
    other = dataclasses.replace(cell.full_protocol, real_split="test", generated=5000)
    tier = tier_of(cell, whole(cell, protocol=other))
    assert [d.field for d in tier.fields] == ["generated", "real_split"]
    assert (
        tier.differences[0].startswith("generated: 50000 -> 5000 [known: ")
        and "QAGANS#1" in tier.differences[0]
        and "14.2" in tier.differences[1]
    )
    fields = {f.name for f in (*dataclasses.fields(Recipe), *dataclasses.fields(Protocol))}
    assert {e.field for e in EFFECTS} <= fields
    asked = {"real_split", "generated", "resize", "quantise", "bn_mode", "ema", "hflip", "checkpoint", "dataset"}
    assert asked <= {e.field for e in EFFECTS} and all(e.change and e.size and e.source for e in EFFECTS)
