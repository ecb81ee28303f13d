"""Records a sweep of scaled_dot_product_attention, for test/torch-sweep.test.ts.

    pip install -r test/oracle/requirements.txt
    python test/oracle/record-torch-sdpa.py

Every combination of masks and causal forms that PyTorch takes, over shapes, grouped heads, scales and types that
change from case to case. Inputs are float32, or float16 and bfloat16 as stored; results are PyTorch's own on the CPU,
computed in float64 from the very same numbers.
"""

import itertools

import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention as sdpa
from torch_pack import normal, packed, write

SEED = 20261201
SIZES = [(5, 9), (9, 5), (7, 7), (1, 12), (17, 3), (2, 33)]
HEADS = [(2, 2), (6, 2), (4, 1)]
DIMS = [(4, 4), (5, 2), (3, 5)]
SCALES = [None, 0.3, 2.0, None]
TYPES = [torch.float32, torch.float16, torch.float32, torch.bfloat16]
SPREADS = ["qk", "1k", "11qk", "b1qk", "1hqk", "b11k", "bhqk"]


def mask_shape(spread, sizes):
    return [1 if axis == "1" else sizes[axis] for axis in spread]


def case(n, kind, spread):
    generator = torch.Generator().manual_seed(SEED + n)
    queries, keys = SIZES[n % len(SIZES)]
    heads, kv_heads = HEADS[n % len(HEADS)]
    head_dim, value_dim = DIMS[(n // 2) % len(DIMS)]
    scale = SCALES[n % len(SCALES)]
    dtype = TYPES[(n // 3) % len(TYPES)]
    batch = 1 + n % 2
    q = normal(generator, (batch, heads, queries, head_dim), dtype)
    k = normal(generator, (batch, kv_heads, keys, head_dim), dtype)
    v = normal(generator, (batch, kv_heads, keys, value_dim), dtype)
    options, tensors, arguments = {}, {}, {}
    if scale is not None:
        options["scale"] = arguments["scale"] = scale
    if kind == "is_causal":
        options["causal"] = "top-left"
        arguments["is_causal"] = True
    if kind == "lower_right":
        options["causal"] = "bottom-right"
        arguments["attn_mask"] = causal_lower_right(queries, keys)
    if spread:
        shape = mask_shape(spread, {"b": batch, "h": heads, "q": queries, "k": keys})
        keep = torch.rand(shape, generator=generator) < 0.7
        bias = normal(generator, shape).masked_fill(~keep, float("-inf"))
        tensors[kind] = keep if kind == "keep" else bias
        arguments["attn_mask"] = keep if kind == "keep" else bias.double()
    output = sdpa(q.double(), k.double(), v.double(), enable_gqa=heads != kv_heads, **arguments)
    assert not output.isnan().any(), (n, kind, spread)
    return {
        "name": f"{n} {kind} {spread} {str(dtype)[6:]} h{heads}:{kv_heads} q{queries} k{keys} d{head_dim} v{value_dim}",
        "options": options,
        "tensors": {name: packed(tensor) for name, tensor in tensors.items()},
        "q": packed(q),
        "k": packed(k),
        "v": packed(v),
        "output": packed(output),
    }


def main():
    torch.set_num_threads(1)
    plain = [(kind, "") for kind in ("none", "is_causal", "lower_right") for _ in range(6)]
    masked = list(itertools.product(("keep", "bias"), SPREADS, range(2)))
    kinds = plain + [(kind, spread) for kind, spread, _ in masked]
    write("sdpa", "record-torch-sdpa.py", [case(n, kind, spread) for n, (kind, spread) in enumerate(kinds)])


if __name__ == "__main__":
    main()
