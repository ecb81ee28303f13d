"""How the PyTorch recordings in test/fixtures/torch are written: seeded inputs, base64 tensors, one JSON per sweep."""

import base64
import json
import pathlib
import platform

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "torch"
NAMES = {torch.float32: "float32", torch.float64: "float64", torch.float16: "float16", torch.bfloat16: "bfloat16"}


def packed(tensor):
    tensor = tensor.detach().cpu().contiguous()
    kind = NAMES.get(tensor.dtype, "bool")
    # NumPy has no bfloat16; half types are stored as their bits.
    array = (tensor.view(torch.uint16) if kind in ("float16", "bfloat16") else tensor).numpy()
    return {"dims": list(array.shape), "type": kind, "base64": base64.b64encode(array.tobytes()).decode()}


def int32(values):
    return {"int32": [int(value) for value in values]}


def normal(generator, shape, dtype=torch.float32):
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(dtype)


def write(name, command, cases):
    made = {
        "command": f"python test/oracle/{command}",
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    path.write_text(f'{{\n "made": {json.dumps(made)},\n "cases": [\n{lines}\n ]\n}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
