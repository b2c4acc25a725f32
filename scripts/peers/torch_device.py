"""The device, threads and dtype that bench's own cases have, for a script of PyTorch."""

import contextlib
import os

import torch

device = torch.device(os.environ.get("BENCH_DEVICE", "cpu"))
bf16 = os.environ.get("BENCH_DTYPE", "bf16") == "bf16"
torch.set_num_threads(int(os.environ.get("BENCH_THREADS", torch.get_num_threads())))


def autocast():
    """bf16 where the device is fast at it."""
    return torch.autocast(device.type, torch.bfloat16) if bf16 else contextlib.nullcontext()


def synchronize() -> None:
    """Returns when the device has done all work: before each reading of the clock."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()
