"""Scaled dot product attention of PyTorch, in all the arrangements that can express a shape.

A way is a function that prepares (untimed) and returns two others: `attend`, which is timed, and `unpack`,
which puts what `attend` returned into the order of the work.
"""

import torch
from torch.nn.functional import scaled_dot_product_attention as sdpa


def ways_of(shape, q, k, v, **arrays):
    """Name -> way, for tensors as the work has them; arrays: bias, slopes and keep, where the shape asks for them."""
    if options_of(shape).get("float16"):
        q, k, v = q.half(), k.half(), v.half()
    if shape.get("cuSeqlens"):
        return ragged_ways(shape, q, k, v)
    ways = dense_ways(shape, q, k, v, **arrays)
    if shape.get("keyLengths"):
        ways = {f"{name}, padded": way for name, way in ways.items()}
        ways.update(one_by_one_ways(shape, q, k, v))
    return ways


def options_of(shape):
    return shape.get("options") or {}


def attends_all(shape):
    return shape["causal"] == "none" or (shape["causal"] == "bottom-right" and shape["queries"] == 1)


def places(shape):
    """Indices of query rows and of keys, to be broadcast over [batch, heads, queries, keys]."""
    return torch.arange(shape["queries"]).view(1, 1, -1, 1), torch.arange(shape["keys"]).view(1, 1, 1, -1)


def kept(shape, keep=None):
    """[batch or 1, 1, queries, keys], true where attended."""
    row, column = places(shape)
    lengths = torch.tensor(shape.get("keyLengths") or [shape["keys"]]).view(-1, 1, 1, 1)
    position = row + lengths - shape["queries"] if shape["causal"] == "bottom-right" else row
    inside = (column < lengths).expand(-1, 1, shape["queries"], -1)
    if not attends_all(shape):
        inside = inside & (column <= position)
    window = options_of(shape).get("window")
    if window:
        inside = inside & (column >= position - window["left"]) & (column <= position + window["right"])
    return (inside if keep is None else inside & (keep > 0)).contiguous()


def dense_ways(shape, q, k, v, bias=None, slopes=None, keep=None):
    ways = {}
    square = shape["queries"] == shape["keys"]
    starts_together = shape["causal"] == "top-left" or (shape["causal"] == "bottom-right" and square)
    adds = bias is not None or slopes is not None
    by_place = not (adds or keep is not None or options_of(shape).get("window") or shape.get("keyLengths"))

    def float_mask():
        mask = as_bias(kept(shape, keep))
        if bias is not None:
            mask = mask + bias
        if slopes is not None:
            row, column = places(shape)
            mask = mask - slopes.view(1, -1, 1, 1) * (row - column).abs()
        return {"attn_mask": mask.to(q.dtype)}

    if by_place and attends_all(shape):
        ways.update(group_ways("", shape, q, k, v, lambda: {}))
    elif by_place and starts_together:
        ways.update(group_ways(", is_causal", shape, q, k, v, lambda: {"is_causal": True}, rows=False))
    else:
        ways.update(group_ways(", float mask", shape, q, k, v, float_mask))
        if not adds:
            ways.update(group_ways(", bool mask", shape, q, k, v, lambda: {"attn_mask": kept(shape, keep)}))
    return ways


def as_bias(mask):
    return torch.zeros(mask.shape).masked_fill_(~mask, float("-inf"))


def group_ways(name, shape, q, k, v, options, rows=True):
    """One way where every head has its own keys, else one for each treatment of a group."""
    heads, kv_heads, queries = shape["heads"], shape["kvHeads"], shape["queries"]
    group = heads // kv_heads

    def plain(**more):
        def way():
            given = {**options(), **more}
            return lambda: sdpa(q, k, v, **given), lambda output: output

        return way

    def as_rows():
        given = options()
        if "attn_mask" in given:
            given["attn_mask"] = given["attn_mask"].repeat(1, 1, group, 1)
        # The heads of a group lie behind one another, so that they are rows of one head in the same memory.
        query = q.view(q.shape[0], kv_heads, group * queries, q.shape[3])
        return lambda: sdpa(query, k, v, **given), lambda output: output.reshape(*q.shape[:3], v.shape[3])

    if group == 1:
        return {f"SDPA{name}": plain()}
    ways = {f"SDPA{name}, enable_gqa": plain(enable_gqa=True)}
    if rows:
        ways[f"SDPA{name}, heads of a group as rows"] = as_rows
    return ways


def one_by_one_ways(shape, q, k, v):
    """Each sequence with only the keys it has."""
    single = {**shape, "batch": 1, "keyLengths": None}
    parts = [
        dense_ways({**single, "keys": length}, q[b : b + 1], k[b : b + 1, :, :length], v[b : b + 1, :, :length])
        for b, length in enumerate(shape["keyLengths"])
    ]
    return joined_ways(parts, lambda outputs: torch.cat(outputs))


def joined_ways(parts, join):
    """The ways that every part has, one call per part."""

    def way_of(name):
        def way():
            pairs = [part[name]() for part in parts]
            attends = [attend for attend, _ in pairs]
            return (
                lambda: [attend() for attend in attends],
                lambda outputs: join([unpack(output) for (_, unpack), output in zip(pairs, outputs)]),
            )

        return way

    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {f"{name}, one by one": way_of(name) for name in names}


def ragged_ways(shape, q, k, v):
    starts = shape["cuSeqlens"]
    lengths = [last - first for first, last in zip(starts, starts[1:])]
    longest = max(lengths)
    by_sequence = [tensor.split(lengths) for tensor in (q, k, v)]

    def heads_first(tensor):
        return tensor.transpose(0, 1).unsqueeze(0)

    def single(length):
        return {**shape, "batch": 1, "cuSeqlens": None, "queries": length, "keys": length}

    parts = [
        dense_ways(single(length), *(heads_first(sequences[s]).contiguous() for sequences in by_sequence))
        for s, length in enumerate(lengths)
    ]
    ways = joined_ways(parts, lambda outputs: torch.cat([output[0].transpose(0, 1) for output in outputs]))

    def filled(sequences):
        return torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True).transpose(1, 2).contiguous()

    whole = {
        **shape,
        "batch": len(lengths),
        "cuSeqlens": None,
        "keyLengths": lengths,
        "queries": longest,
        "keys": longest,
        "causal": "none" if shape["causal"] == "none" else "top-left",
    }

    def padded(way):
        def build():
            attend, unpack = way()
            return attend, lambda output: torch.cat(
                [rows[:, :length].transpose(0, 1) for rows, length in zip(unpack(output), lengths)]
            )

        return build

    for name, way in dense_ways(whole, *map(filled, by_sequence)).items():
        ways[f"{name}, padded"] = padded(way)

    options = {} if shape["causal"] == "none" else {"is_causal": True}

    def nested_jagged():
        query, key, value = (
            torch.nested.nested_tensor(list(sequences), layout=torch.jagged).transpose(1, 2)
            for sequences in by_sequence
        )
        return (
            lambda: sdpa(query, key, value, **options),
            lambda output: torch.cat([rows.contiguous() for rows in output.transpose(1, 2).unbind()]),
        )

    def nested_strided():
        query, key, value = (
            torch.nested.nested_tensor([rows.transpose(0, 1).contiguous() for rows in sequences])
            for sequences in by_sequence
        )
        return (
            lambda: sdpa(query, key, value, **options),
            lambda output: torch.cat([rows.transpose(0, 1) for rows in output.unbind()]),
        )

    if shape["heads"] == shape["kvHeads"]:
        ways["SDPA, nested jagged"] = nested_jagged
        ways["SDPA, nested strided"] = nested_strided
    return ways
