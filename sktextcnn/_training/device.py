"""The device that a net is trained and used on."""

import torch


def find_device(device: str) -> str:
    """Return the device that `device` asks for, with "auto" replaced by what is there.

    Raises
    ------
    ValueError
        If torch does not know it, or it does not work here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is not a device of torch: {error}") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r}, but torch finds no CUDA device here. Use device='auto' or 'cpu'."
        )
    try:
        torch.ones(1, device=device).item()
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} does not work here; use device='auto' or 'cpu'. {error}"
        ) from error
    return device
