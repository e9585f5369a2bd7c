"""What the process itself uses: processor time, memory, files; and the disk that its data is on.

https://opentelemetry.io/docs/specs/semconv/system/process-metrics/
"""

import os
from collections.abc import Iterable
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MEMORY, _FILES = Path("/proc/self/statm"), Path("/proc/self/fd")


def process_gauges(meter: Meter, data: Path) -> None:
    """The gauges; ``data`` is the folder whose disk is watched, where there is one."""
    meter.create_observable_counter("process.cpu.time", [_processor], unit="s")
    meter.create_observable_gauge("process.memory.usage", [_memory], unit="By")
    meter.create_observable_gauge("process.unix.file_descriptor.count", [_files], unit="{file_descriptor}")

    def disk(options: CallbackOptions) -> Iterable[Observation]:
        if data.is_dir():
            found = os.statvfs(data)
            yield Observation(found.f_bavail * found.f_frsize, {"state": "free"})
            yield Observation((found.f_blocks - found.f_bfree) * found.f_frsize, {"state": "used"})

    meter.create_observable_gauge("consilium.disk.usage", [disk], unit="By")


def _processor(options: CallbackOptions) -> Iterable[Observation]:
    times = os.times()
    return [Observation(times.user, {"cpu.mode": "user"}), Observation(times.system, {"cpu.mode": "system"})]


def _memory(options: CallbackOptions) -> Iterable[Observation]:
    if _MEMORY.exists():
        yield Observation(int(_MEMORY.read_text().split()[1]) * _PAGE)


def _files(options: CallbackOptions) -> Iterable[Observation]:
    if _FILES.exists():
        yield Observation(len(os.listdir(_FILES)))
