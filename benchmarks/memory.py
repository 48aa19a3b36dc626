"""The memory of a process, as Linux reports it."""

import pathlib


def forget_peak() -> int:
    """Reset the peak to the memory that is resident now, and return it in bytes."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _resident("VmRSS")


def peak() -> int:
    """Return the peak of resident bytes since ``forget_peak``."""
    return _resident("VmHWM")


def private_and_share() -> tuple[int, int]:
    """Return the private bytes of this process, and these plus its share of shared memory."""
    lines = pathlib.Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return private * 1024, kilobytes["Pss"] * 1024


def _resident(field: str) -> int:
    # Not ru_maxrss, which a fresh process inherits from its parent.
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}; memory can only be measured on Linux.")
