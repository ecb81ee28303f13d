"""Records nn.MultiheadAttention with its masks, for test/torch-mha.test.ts.

    pip install -r test/oracle/requirements.txt
    python test/oracle/record-torch-mha.py

The projections are identities, so that the module's output is the attention of what goes in, head beside head.
Its masks say what to ignore, ours beside `drop` what to attend to: the test translates, as a user would.
"""

import torch
from torch_pack import normal, packed, write

SEED = 20261203
BATCH, HEADS, HEAD_DIM = 2, 3, 4
WIDTH = HEADS * HEAD_DIM


def module(**options):
    attention = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=torch.float64, **options).eval()
    with torch.no_grad():
        identity = torch.eye(WIDTH, dtype=torch.float64)
        attention.in_proj_weight.copy_(torch.cat([identity] * 3))
        attention.out_proj.weight.copy_(identity)
        attention.in_proj_bias.zero_()
        attention.out_proj.bias.zero_()
    return attention


def case(n, name, queries, keys, masks=None, average=False, weighed=True, zero=False, causal=False):
    generator = torch.Generator().manual_seed(SEED + n)
    q, k, v = [normal(generator, (BATCH, rows, WIDTH)) for rows in (queries, keys, keys)]
    masks = masks(generator, queries, keys) if masks else {}
    given = {key: mask if mask.dtype == torch.bool else mask.double() for key, mask in masks.items()}
    with torch.no_grad():
        output, weights = module(add_zero_attn=zero)(
            *(t.double() for t in (q, k, v)),
            need_weights=weighed, average_attn_weights=average, is_causal=causal, **given,
        )
    assert not output.isnan().any(), name
    recorded = {"output": packed(output)}
    if weighed:
        # The zero key that add_zero_attn appends comes last; it has a weight, and a value of zeros.
        recorded["weights"] = packed(weights[..., :keys])
    return {
        "name": name,
        "heads": HEADS,
        "average": average,
        "zero": zero,
        "masks": {key: packed(mask) for key, mask in masks.items()},
        "q": packed(q),
        "k": packed(k),
        "v": packed(v),
        **recorded,
    }


def some(generator, shape):
    """True is ignored; the first key never is, so that no row is left with nothing (PyTorch gives NaN for those)."""
    mask = torch.rand(shape, generator=generator) < 0.4
    mask[..., 0] = False
    return mask


def of_rows(g, queries, keys):
    return {"attn_mask": some(g, (queries, keys))}


def of_heads(g, queries, keys):
    return {"attn_mask": some(g, (BATCH * HEADS, queries, keys))}


def of_floats(g, queries, keys):
    mask = normal(g, (queries, keys))
    return {"attn_mask": mask.masked_fill(some(g, (queries, keys)), float("-inf"))}


def of_keys(g, _, keys):
    return {"key_padding_mask": some(g, (BATCH, keys))}


def of_both(g, queries, keys):
    return {**of_heads(g, queries, keys), **of_keys(g, queries, keys)}


def of_past(_, queries, keys):
    return {"attn_mask": torch.ones(queries, keys, dtype=torch.bool).triu(diagonal=1)}


def main():
    torch.set_num_threads(1)
    write(
        "mha",
        "record-torch-mha.py",
        [
            case(0, "plain, weights of each head", 5, 7),
            case(1, "plain, averaged weights", 5, 7, average=True),
            case(2, "attn_mask [queries, keys]", 5, 7, of_rows),
            case(3, "attn_mask [batch * heads, queries, keys], averaged", 5, 7, of_heads, average=True),
            case(4, "attn_mask of floats", 6, 6, of_floats),
            case(5, "key_padding_mask", 4, 9, of_keys),
            case(6, "key_padding_mask, averaged", 4, 9, of_keys, average=True),
            case(7, "attn_mask and key_padding_mask", 6, 8, of_both),
            case(8, "attn_mask and key_padding_mask, without weights", 6, 8, of_both, weighed=False),
            case(9, "is_causal with its mask", 8, 8, of_past, causal=True),
            case(10, "is_causal with its mask, without weights", 8, 8, of_past, causal=True, weighed=False),
            case(11, "add_zero_attn", 5, 7, zero=True),
            case(12, "add_zero_attn and attn_mask", 5, 7, of_rows, zero=True),
        ],
    )


if __name__ == "__main__":
    main()
