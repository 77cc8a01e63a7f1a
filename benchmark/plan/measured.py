"""What finished records say of the seconds of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchmark.plan.counted import Counts
from benchmark.plan.devices import Device
from benchmark.records.record import Record
from benchmark.train.layout import AUTO, is_channels_last

FEWEST_STEPS = 20  # of a record that says how long a step takes: the first steps of a run are slower


class Measured:
    """What finished records say of steps on one device.

    On a CPU the seconds are CPU seconds where a record holds them, elsewhere wall seconds. Both are longer on a busy
    machine, never shorter, CPU seconds by far the less (1.5 times, where wall seconds were 14). So a record of the same
    work gives the step's seconds itself, the fastest of all such records. Otherwise the prediction is multiplied by the
    lower quartile of the ratios of measured to predicted seconds, over records of the same network; without such
    records it stays as it is.
    """

    def __init__(
        self,
        records: Iterable[Record],
        names: Callable[[str], bool],
        counts: Counts,
        device: Device,
        layout: str = AUTO,
    ) -> None:
        """``names``: whether a record's name of a device means ``device``; ``layout``: as the runs will be asked for.
        Records of less than 20 steps, on several devices or threads, or in another memory layout than the runs will
        have say nothing.
        """
        kind = "cpu" if device.name == "cpu" else "cuda"
        exact: dict[str, list[float]] = {}
        ratios: dict[str, list[float]] = {}
        for record in records:
            segments = record.provenance.get("segments", [])
            last = is_channels_last(layout, record.recipe.network[0], kind)
            if (
                record.steps < FEWEST_STEPS
                or not segments
                or not all(
                    names(str(s.get("device"))) and s.get("threads") == 1 and bool(s.get("channels_last")) == last
                    for s in segments
                )
            ):
                continue
            if not (key := counts.key(record.recipe)):  # a plug-in of another version
                continue
            cpu_s = record.train_cpu_s if device.name == "cpu" else None
            seconds = (record.train_s if cpu_s is None else cpu_s) / record.steps
            exact.setdefault(key, []).append(seconds)
            if known := counts.known(record.recipe):
                ratios.setdefault(record.recipe.network[0], []).append(seconds / device.seconds(known.step))
        self._exact = {key: (min(found), len(found)) for key, found in exact.items()}
        self._ratios = {network: (sorted(found)[len(found) // 4], len(found)) for network, found in ratios.items()}

    def step(self, key: str, network: str, predicted: float) -> tuple[float, str]:
        """Seconds of a step, and where they are from."""
        if key in self._exact:
            seconds, n = self._exact[key]
            return seconds, f"measured, {n} record{'s' * (n > 1)}"
        if network in self._ratios:
            ratio, n = self._ratios[network]
            return predicted * ratio, f"counted, x {ratio:.2f} by {n} record{'s' * (n > 1)} of {network}"
        return predicted, "counted"
