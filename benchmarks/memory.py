"""The memory of a process, as Linux counts it."""

import pathlib


def forget_peak() -> int:
    """Set the peak back to what is resident now, and return that in bytes."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _resident("VmRSS")


def peak() -> int:
    """Return the most bytes that were resident since ``forget_peak``."""
    return _resident("VmHWM")


def private_and_share() -> tuple[int, int]:
    """Return the bytes of this process alone, and these with its share of what it shares."""
    lines = pathlib.Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return private * 1024, kilobytes["Pss"] * 1024


def _resident(field: str) -> int:
    # Not ru_maxrss, which a fresh process takes over from the one that started it.
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}; memory is measured on Linux alone.")
