"""Records what PyTorch computes, as fixtures for test/fixtures.test.ts.

    pip install -r test/oracle/requirements.txt
    python test/oracle/record-torch.py

Inputs are seeded float32 numbers. Results come from PyTorch in float64 on the CPU: `output` from
scaled_dot_product_attention or flex_attention, `weights` and `lse` from softmax and logsumexp of the scores.
`float32` is the output of the same call in float32.
"""

import base64
import json
import pathlib
import platform

import numpy
import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention as sdpa

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
SEED = 20261123


def packed(tensor):
    array = tensor.detach().cpu().contiguous().numpy()
    return {"dims": list(array.shape), "type": str(array.dtype), "base64": base64.b64encode(array.tobytes()).decode()}


def inputs(seed, batch, heads, kv_heads, queries, keys, head_dim, value_dim):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(batch, heads, queries, head_dim), (batch, kv_heads, keys, head_dim), (batch, kv_heads, keys, value_dim)]
    return [torch.randn(shape, generator=generator, dtype=torch.float32) for shape in shapes]


def softmax_parts(q, k, scale, modify):
    """Weights and lse by PyTorch's own softmax, with rows that attend to nothing set to zero."""
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    scores = modify((q @ k.transpose(-2, -1)) * scale)
    return torch.softmax(scores, dim=-1).nan_to_num(0.0), torch.logsumexp(scores, dim=-1)


def record(name, call, options, q, k, v, attend, modify=lambda s: s, extra=None):
    doubles = [t.double() for t in (q, k, v)]
    output = attend(*doubles)
    scale = options.get("scale", q.shape[-1] ** -0.5)
    weights, lse = softmax_parts(doubles[0], doubles[1], scale, modify)
    gqa_values = doubles[2].repeat_interleave(q.shape[1] // v.shape[1], dim=1)
    difference = (weights @ gqa_values - output).abs().max().item()
    assert difference < 1e-12, (name, difference)
    fixture = {
        "made": {
            "command": "python test/oracle/record-torch.py",
            "torch": torch.__version__,
            "numpy": numpy.__version__,
            "python": platform.python_version(),
        },
        "call": call,
        "options": options,
        "tensors": {key: packed(t) for key, t in (extra or {}).items()},
        "q": packed(q),
        "k": packed(k),
        "v": packed(v),
        "output": packed(output),
        "float32": packed(attend(q, k, v)),
        "lse": packed(lse),
        "weights": packed(weights),
    }
    path = FOLDER / f"torch-{name}.json"
    path.write_text(json.dumps(fixture, indent=1) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def masked(where):
    return lambda s: s.masked_fill(~where, float("-inf"))


def plain():
    q, k, v = inputs(SEED, 2, 2, 2, 5, 9, 8, 8)
    record("plain", "sdpa(q, k, v)", {}, q, k, v, sdpa)
    q, k, v = inputs(SEED + 1, 1, 2, 2, 7, 7, 12, 5)
    call = "sdpa(q, k, v, scale=0.75), values of their own width"
    record("scale", call, {"scale": 0.75}, q, k, v, lambda q, k, v: sdpa(q, k, v, scale=0.75))


def causal():
    q, k, v = inputs(SEED + 2, 1, 2, 2, 9, 9, 8, 8)
    below = torch.ones(9, 9, dtype=torch.bool).tril()
    call = "sdpa(q, k, v, is_causal=True), square"
    record("causal", call, {"causal": True}, q, k, v, lambda q, k, v: sdpa(q, k, v, is_causal=True), masked(below))
    q, k, v = inputs(SEED + 3, 1, 2, 2, 4, 9, 8, 8)
    below = torch.ones(4, 9, dtype=torch.bool).tril()
    call = "sdpa(q, k, v, is_causal=True): PyTorch aligns to the top left"
    options = {"causal": "top-left"}
    record("causal-top-left", call, options, q, k, v, lambda q, k, v: sdpa(q, k, v, is_causal=True), masked(below))
    below = torch.ones(4, 9, dtype=torch.bool).tril(diagonal=5)
    lower = causal_lower_right(4, 9)
    call = "sdpa(q, k, v, attn_mask=causal_lower_right(4, 9))"
    options = {"causal": "bottom-right"}
    record("causal-bottom-right", call, options, q, k, v, lambda q, k, v: sdpa(q, k, v, attn_mask=lower), masked(below))


def grouped():
    q, k, v = inputs(SEED + 4, 1, 6, 2, 5, 6, 8, 8)
    call = "sdpa(q, k, v, enable_gqa=True), 6 query heads on 2 key/value heads"
    record("gqa", call, {}, q, k, v, lambda q, k, v: sdpa(q, k, v, enable_gqa=True))


def masks():
    q, k, v = inputs(SEED + 5, 2, 2, 2, 5, 9, 8, 8)
    generator = torch.Generator().manual_seed(SEED + 6)
    keep = torch.rand(2, 1, 5, 9, generator=generator) < 0.6
    keep[0, 0, 3] = False
    call = "sdpa(q, k, v, attn_mask=keep), boolean [2, 1, 5, 9], one row with nothing to attend to"
    record("keep", call, {}, q, k, v, lambda q, k, v: sdpa(q, k, v, attn_mask=keep), masked(keep), {"keep": keep})
    bias = torch.randn(2, 5, 9, generator=generator)
    bias[torch.rand(2, 5, 9, generator=generator) < 0.25] = float("-inf")
    call = "sdpa(q, k, v, attn_mask=bias), float [2, 5, 9] with -inf"

    def attend(q, k, v):
        return sdpa(q, k, v, attn_mask=bias.to(q.dtype))

    record("bias", call, {}, q, k, v, attend, lambda s: s + bias.double(), {"bias": bias})


def flex():
    q, k, v = inputs(SEED + 7, 1, 6, 6, 6, 6, 4, 4)
    cap = 1.5
    call = "flex_attention(q, k, v, score_mod=1.5 * tanh(score / 1.5))"
    record(
        "softcap", call, {"softcap": cap}, q, k, v,
        lambda q, k, v: flex_attention(q, k, v, score_mod=lambda s, b, h, i, j: cap * torch.tanh(s / cap)),
        lambda s: cap * torch.tanh(s / cap),
    )
    # Six heads: slopes of the first four by the power of two, two more from the odd powers of eight.
    slopes = torch.tensor([2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-1, 2.0**-3], dtype=torch.float64)
    distance = (torch.arange(6)[:, None] - torch.arange(6)[None, :]).abs().double()
    call = "flex_attention with the slopes of ALiBi for 6 heads, causal"
    below = torch.ones(6, 6, dtype=torch.bool).tril()
    block = create_block_mask(lambda b, h, i, j: i >= j, None, None, 6, 6, device="cpu")

    def attend_alibi(q, k, v):
        own = slopes.to(q.dtype)
        return flex_attention(q, k, v, score_mod=lambda s, b, h, i, j: s - own[h] * (i - j).abs(), block_mask=block)

    def modify_alibi(s):
        return (s - slopes[:, None, None] * distance).masked_fill(~below, float("-inf"))

    record("alibi", call, {"causal": True, "alibi": True}, q, k, v, attend_alibi, modify_alibi)
    call = "flex_attention, keys from i - 2 to i + 1"
    near = (torch.arange(6)[None, :] >= torch.arange(6)[:, None] - 2) & (
        torch.arange(6)[None, :] <= torch.arange(6)[:, None] + 1
    )
    window = create_block_mask(lambda b, h, i, j: (j >= i - 2) & (j <= i + 1), None, None, 6, 6, device="cpu")
    record(
        "window", call, {"window": {"left": 2, "right": 1}}, q, k, v,
        lambda q, k, v: flex_attention(q, k, v, block_mask=window), masked(near),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    FOLDER.mkdir(exist_ok=True)
    plain()
    causal()
    grouped()
    masks()
    flex()
