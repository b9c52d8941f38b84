#!/usr/bin/env python3
"""Writes the files of src/reader/xz/tests: the same lines, packed by liblzma in every way that logs are packed."""

import lzma
import pathlib

FOLDER = pathlib.Path(__file__).parent.parent / "src/reader/xz/tests"


def lines():
    return "".join(f"line {n}: value {n * n % 9973} of {n % 7}\n" for n in range(700)).encode()


def noise():
    state, made = 0x2545F4914F6CDD1D, bytearray()
    for _ in range(5000):
        state ^= state << 13 & (1 << 64) - 1
        state ^= state >> 7
        state ^= state << 17 & (1 << 64) - 1
        made.append(state >> 32 & 0xFF)
    return bytes(made)


def packed(content, check=lzma.CHECK_CRC64, **options):
    filters = [{"id": lzma.FILTER_LZMA2, **options}] if options else None
    return lzma.compress(content, format=lzma.FORMAT_XZ, check=check, filters=filters)


def blocks(content, size):
    """Several chunks in one stream, flushed so that the coder keeps its state."""
    coder = lzma.LZMACompressor(format=lzma.FORMAT_XZ, check=lzma.CHECK_SHA256)
    return b"".join(coder.compress(content[at : at + size]) for at in range(0, len(content), size)) + coder.flush()


SAMPLES = {
    "none": packed(lines(), lzma.CHECK_NONE),
    "crc32": packed(lines(), lzma.CHECK_CRC32),
    "crc64": packed(lines()),
    "sha256": blocks(lines(), 4000),
    "fast": packed(lines(), preset=0),
    "extreme": packed(lines(), preset=9 | lzma.PRESET_EXTREME, dict_size=1 << 20),
    "lc0-lp2-pb0": packed(lines(), preset=6, lc=0, lp=2, pb=0),
    "lc1-lp3-pb4": packed(lines(), preset=6, lc=1, lp=3, pb=4),
    "small-window": packed(lines() * 3, preset=6, dict_size=4096),
    "streams": packed(lines()[:9000]) + bytes(8) + packed(lines()[9000:], lzma.CHECK_CRC32) + bytes(4),
    "noise": packed(noise() + lines()),
    "empty": packed(b""),
    "delta": lzma.compress(
        lines()[:200],
        format=lzma.FORMAT_XZ,
        filters=[{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 6}],
    ),
    "big-window": packed(lines()[:200], preset=6, dict_size=1 << 30),
}

for name, content in SAMPLES.items():
    (FOLDER / f"{name}.xz").write_bytes(content)
    print(f"{len(content):6} {name}")
