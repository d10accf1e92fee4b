"""Forms drawn by lot, with check boxes of known places and states, and pages that hold none."""

import random
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WORDS = ("Single", "Married", "Divorced", "I agree", "Yes", "No", "Delivery", "Newsletter", "Male", "Female", "Other")
MARKS = ("cross", "tick", "tick", "fill", "none", "none", "none")


class Form(Struct, frozen=True):
    """A page, the boxes (n, 4, 2) of its lines of text, and its check boxes: left, top, right, bottom, checked."""

    page: NDArray[np.uint8]
    lines: NDArray[np.float32]
    boxes: list[tuple[int, int, int, int, bool]]
    labels: list[str]


def form(seed: int) -> Form:
    """Rows of labels with a box before each, or behind it."""
    lot = random.Random(seed)
    size = lot.randint(16, 34)
    font, side = ImageFont.load_default(size), round(size * lot.uniform(0.65, 1.2))
    columns, rows = lot.randint(1, 3), lot.randint(3, 9)
    step, pitch = size * lot.randint(10, 13), round(size * lot.uniform(1.6, 2.4))
    paper = lot.choice(((255, 255, 255), (244, 240, 230), (225, 235, 245)))
    page = Image.new("RGB", (columns * step + 60, rows * pitch + 60), paper)
    draw, lines, boxes, labels = ImageDraw.Draw(page), [], [], []
    thick, round_ = lot.randint(1, max(1, size // 9)), lot.random() < 0.25
    grey = lot.randint(0, 90)
    for row in range(rows):
        for column in range(columns):
            x, y = 30 + column * step, 30 + row * pitch + size // 2
            label, behind = lot.choice(WORDS), lot.random() < 0.2
            width = font.getlength(label)
            at = x if not behind else round(x + width + size * lot.uniform(0.5, 0.9))
            text_at = x if behind else x + side + size * lot.uniform(0.4, 0.8)
            draw.text((text_at, y), label, font=font, fill=(grey, grey, grey), anchor="lm")
            lines.append(rectangle(text_at - 3, y - size * 0.75, text_at + width + 3, y + size * 0.75))
            corners = (at, y - side // 2, at + side, y - side // 2 + side)
            if round_:
                draw.rounded_rectangle(corners, radius=side * 0.12, outline=(grey, grey, grey), width=thick)
            else:
                draw.rectangle(corners, outline=(grey, grey, grey), width=thick)
            mark = lot.choice(MARKS)
            marked(draw, lot, corners, mark)
            boxes.append((*corners, mark != "none"))
            labels.append(label)
    return Form(worn(lot, page), np.array(lines, np.float32), boxes, labels)


def marked(draw: ImageDraw.ImageDraw, lot: random.Random, box: tuple[int, int, int, int], mark: str) -> None:
    left, top, right, bottom = box
    side, ink = right - left, lot.choice(((20, 20, 20), (30, 40, 150), (60, 60, 60)))
    pen = max(1, round(side * lot.uniform(0.07, 0.14)))
    inset = side * lot.uniform(0.08, 0.25)
    if mark == "cross":
        draw.line((left + inset, top + inset, right - inset, bottom - inset), fill=ink, width=pen)
        draw.line((right - inset, top + inset, left + inset, bottom - inset), fill=ink, width=pen)
    elif mark == "tick":
        over = side * lot.uniform(-0.1, 0.3)
        points = [(left + inset, top + side * 0.55), (left + side * 0.42, bottom - inset), (right + over, top - over)]
        draw.line(points, fill=ink, width=pen)
    elif mark == "fill":
        draw.rectangle((left + inset, top + inset, right - inset, bottom - inset), fill=ink)


def without(seed: int, kind: Literal["text", "table", "comb"]) -> Form:
    """A page without check boxes: prose with square letters, a ruled table of lone signs, or fields of a sign each."""
    lot = random.Random(seed)
    size = lot.randint(16, 32)
    font = ImageFont.load_default(size)
    page = Image.new("RGB", (26 * size, 12 * size), "white")
    draw, lines = ImageDraw.Draw(page), []
    for row in range(5):
        y = size * (1.2 + 2.2 * row)
        if kind == "text":
            text = " ".join(
                lot.choice(("BOB", "DOOR", "H0E8", "[D]", "book", "DDEB", "008", "B8", "O")) for _ in range(5)
            )
            draw.text((size, y), text, font=font, fill="black", anchor="lm")
            lines.append(rectangle(size - 3, y - size * 0.75, size + font.getlength(text) + 3, y + size * 0.75))
            continue
        cell = round(size * lot.uniform(1.2, 1.6)) if kind == "comb" else 2.2 * size
        for column in range(8):
            x = size + column * cell
            corners = (
                x,
                y - (cell if kind == "table" else 1.4 * size) / 2,
                x + cell,
                y + (cell if kind == "table" else 1.4 * size) / 2,
            )
            draw.rectangle(corners, outline="black", width=max(1, size // 14))
            sign = lot.choice("X0128AB ")
            draw.text((x + cell / 2, y), sign, font=font, fill="black", anchor="mm")
        lines.append(rectangle(size, y - size * 0.75, size + 8 * cell, y + size * 0.75))
    return Form(worn(lot, page), np.array(lines, np.float32), [], [])


def rectangle(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def worn(lot: random.Random, page: Image.Image) -> NDArray[np.uint8]:
    """The page's pixels (H, W, 3), blurred, noisy and half a degree askew in part."""
    if lot.random() < 0.5:
        fill = page.getpixel((1, 1))
        page = page.rotate(lot.uniform(-0.5, 0.5), Image.Resampling.BICUBIC, fillcolor=fill)
        page = page.filter(ImageFilter.GaussianBlur(lot.uniform(0.3, 0.9)))
        noise = np.random.default_rng(lot.getrandbits(32)).normal(0, lot.uniform(2, 9), (page.height, page.width, 1))
        return (np.asarray(page)[:, :, ::-1] + noise).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.asarray(page)[:, :, ::-1])
