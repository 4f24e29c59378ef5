"""Small pictures, built byte by byte."""

import struct
import zlib


def png(width: int = 300, height: int = 100, more: bytes = b"") -> bytes:
    """A real picture of one colour; `more` are further chunks."""
    rows = zlib.compress((b"\0" + b"\x1d\x4e\xd8" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = chunk(b"IHDR", head) + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + whole


def chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def jpeg(width: int, height: int) -> bytes:
    """The parts that tell a JPEG's size, after a comment that looks like them."""
    comment = b"\xff\xfe\x00\x09\xff\xc0\x00\x11\x08\x00\x01"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + comment + b"\xff" + frame + b"\xff\xda\x00\x02\x00\xff\xd9"


def webp(kind: bytes, data: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lossy_webp(width: int, height: int) -> bytes:
    return webp(
        b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0" * 8
    )


def lossless_webp(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\0" * 8)


def extended_webp(width: int, height: int, flags: int = 0) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", bytes([flags, 0, 0, 0]) + size)
