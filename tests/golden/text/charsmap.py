"""Build a precompiled character map (SentencePiece's form): make(rules) -> bytes."""
import struct
def make(rules):
    """rules: {source bytes: replacement str}"""
    text, where = bytearray(), {}
    for r in rules.values():
        if r not in where:
            where[r] = len(text); text += r.encode() + b"\0"
    root = {}
    for k, v in rules.items():
        node = root
        for b in k: node = node.setdefault(b, {})
        node[-1] = where[v]
    units, free_from = [None]*256, [1]
    used = set()
    units[0] = 0
    pending = [(root, 0)]
    while pending:
        node, pos = pending.pop()
        labels = [0 if b == -1 else b for b in node]
        # a base whose slots are all free
        start = free_from[0]
        while True:
            if start >= len(units): units.extend([None]*256)
            if units[start] is None:
                base = start ^ labels[0]
                off = pos ^ base
                ok = base not in used and (off < 1<<21 or (off & 255) == 0) 
                if ok and all((base ^ l) < len(units) and units[base ^ l] is None for l in labels): break
            start += 1
        used.add(base)
        while free_from[0] < len(units) and units[free_from[0]] is not None: free_from[0] += 1
        code = off << 10 if off < 1 << 21 else (off >> 8) << 10 | 1 << 9
        units[pos] = (units[pos] or 0) | code | (1 << 8 if -1 in node else 0)
        for b, child in node.items():
            if b == -1: units[base] = child | 1 << 31
            else:
                units[base ^ b] = b
                pending.append((child, base ^ b))
    # free slots carry a label that nothing asks for
    for i, u in enumerate(units):
        if u is None: units[i] = 0xFF if (i & 0xFF) != 0xFF else 0xFE
    return struct.pack(f"<I{len(units)}I", 4*len(units), *units) + bytes(text)
