"""An uploaded picture becomes a thumbnail, as a service would do it after its reply."""

import io
from functools import cache

from PIL import Image


@cache
def uploaded(width: int, height: int) -> bytes:
    """Return a JPEG of that size, which stands for what a client sent."""
    bands = [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.effect_noise((256, 256), 60)]
    picture = Image.merge("RGB", bands).resize((width, height), Image.Resampling.BICUBIC)
    return _jpeg(picture, quality=90)


def thumbnail(width: int = 1600, height: int = 1200, edge: int = 256) -> bytes:
    """Decode the picture, resize it and encode it again."""
    with Image.open(io.BytesIO(uploaded(width, height))) as picture:
        small = picture.convert("RGB").resize((edge, edge * height // width), Image.Resampling.LANCZOS)
    return _jpeg(small, quality=80)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()
