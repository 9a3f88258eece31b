"""Small real files of every format, made here."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image
from pillow_heif import register_heif_opener

register_heif_opener()

WIDTH, HEIGHT = 48, 32
SAVED = {
    "JPEG": ("JPEG", {"quality": 92}),
    "progressive JPEG": ("JPEG", {"quality": 92, "progressive": True}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {"quality": 92}),
    "lossless WebP": ("WEBP", {"lossless": True}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "LZW TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "HEIC": ("HEIF", {"quality": 92}),
}


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Top left quarter red, the rest a blue that brightens to the right: its orientation shows."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 2] = np.linspace(60, 255, width, dtype=np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    return Image.fromarray(pixels)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def example(kind: str) -> bytes:
    format, options = SAVED[kind]
    return saved(scene(), format, **options)


def png(width: int, height: int, *, colour_type: int = 6, data: bytes = b"") -> bytes:
    """A PNG whose header claims ``width`` x ``height``, whatever its data holds."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def blank_png(width: int, height: int) -> bytes:
    """A whole, valid RGBA PNG of zeros, squeezed a thousandfold: the classic bomb."""
    row = b"\0" * (1 + 4 * width)
    squeeze = zlib.compressobj(1)
    body = b"".join(squeeze.compress(row * 64) for _ in range(height // 64))
    body += squeeze.compress(row * (height % 64)) + squeeze.flush()
    return png(width, height, data=body)
