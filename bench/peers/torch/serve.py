"""Runs PyTorch's attention for bench/peers/torch.mjs and measures it in here, where no pipe is in the way.

A message either way is one line of JSON; where it says `bytes`, so many bytes follow it.
"""

import gc
import json
import os
import platform
import sys
import time

# What libraries print must not come between the messages.
answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

try:
    import torch
except ImportError as error:
    sys.exit(f"{error} ({sys.executable})")

from ways import ways_of

WARMING_RUNS = 3
FEWEST_RUNS = 10


def answer(message, payload=b""):
    answers.write(json.dumps({**message, "bytes": len(payload)}).encode() + b"\n")
    answers.write(payload)
    answers.flush()


def read_tensor(sizes):
    tensor = torch.empty(sizes, dtype=torch.float32)
    sys.stdin.buffer.readinto(memoryview(tensor.numpy()).cast("B"))
    return tensor


def seconds_of(attend):
    start = time.perf_counter()
    attend()
    return time.perf_counter() - start


def times_of(attend, milliseconds):
    """Seconds of each run over about so many milliseconds; long runs are few and need no more warming."""
    budget = milliseconds / 1000
    first = seconds_of(attend)
    fewest = max(1, min(FEWEST_RUNS, int(budget / first)))
    if first < budget / FEWEST_RUNS:
        for _ in range(WARMING_RUNS):
            attend()
    gc.disable()
    times = []
    start = time.perf_counter()
    while len(times) < fewest or time.perf_counter() - start < budget:
        times.append(seconds_of(attend))
    gc.enable()
    return times


def main():
    ways, attend, unpack = {}, None, None
    torch.set_num_interop_threads(1)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        try:
            if message["do"] == "versions":
                answer({"torch": torch.__version__, "python": platform.python_version()})
            elif message["do"] == "load":
                torch.set_num_threads(message["threads"])
                shape = message["shape"]
                ways = ways_of(shape, **{name: read_tensor(sizes) for name, sizes in message["tensors"]})
                answer({"ways": list(ways)})
            elif message["do"] == "open":
                attend, unpack = None, None
                attend, unpack = ways[message["way"]]()
                answer({})
            elif message["do"] == "run":
                answer({}, unpack(attend()).float().contiguous().numpy().tobytes())
            elif message["do"] == "times":
                answer({"seconds": times_of(attend, message["milliseconds"])})
        except Exception as error:  # the way fails, the next may not
            answer({"error": str(error)})


with torch.inference_mode():
    main()
