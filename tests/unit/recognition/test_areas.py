"""Rectangles of a page: what of it is seen, and where what is read in them stands on it. As words of clients, too."""

import numpy as np
import pytest

from app.http.requests.options import texts
from config.settings import Settings
from ocr_engine.areas import FRAME, Box, boxes_of, cut_out, hide, put_together, turn_of, written_in, written_outside
from ocr_engine.document.written import WrittenLine
from ocr_engine.result import Area, OcrBlock, OcrCell, OcrLine, OcrPage, OcrWord, Polygon, Rotation

LEFT = Area(x=0, y=10, width=40.0, height=20.0)


def square(x: float, y: float, side: float = 10) -> Polygon:
    return (x, y), (x + side, y), (x + side, y + side), (x, y + side)


@pytest.mark.parametrize(
    ("area", "box"),
    [
        (LEFT, [Box(0, 10, 40, 30)]),
        (Area(x="10%", y="0%", width="50%", height="100%"), [Box(20, 0, 120, 100)]),
        (Area(x=0.5, y=0.5, width=1.2, height=1.2), [Box(0, 0, 2, 2)]),
        (Area(x=190, y=90, width=99, height=99), [Box(190, 90, 200, 100)]),
        (Area(x=200, y=0, width=9, height=9), []),
        (Area(x=0, y=0, width=9, height=9, page=2), []),
        (Area(x=0, y=0, width=9, height=9, page=1), [Box(0, 0, 9, 9)]),
    ],
)
def test_a_rectangle_is_as_much_of_it_as_is_on_its_page(area: Area, box: list[Box]) -> None:
    assert boxes_of([area], 1, 200, 100) == box


def test_what_is_hidden_gets_the_colour_around_it_and_all_else_stays() -> None:
    page = np.full((60, 80, 3), 200, np.uint8)
    page[20:40, 30:50] = 0
    page[5, 5] = 7
    page.flags.writeable = False
    hidden = hide(page, [Box(30, 20, 50, 40), Box(0, 50, 80, 60)])
    assert (hidden[20:40, 30:50] == 200).all()
    assert (hidden[5, 5] == 7).all()
    assert (page[20:40, 30:50] == 0).all(), "what cannot be written stays as it is"
    assert (hide(np.zeros((4, 4, 3), np.uint8), [Box(0, 0, 4, 4)]) == 255).all()


def test_a_part_has_a_frame_of_the_colour_of_its_edge() -> None:
    page = np.full((60, 80, 3), 90, np.uint8)
    page[22:30, 32:40] = 0
    part = cut_out(page, Box(30, 20, 50, 40))
    assert part.shape == (20 + 2 * FRAME, 20 + 2 * FRAME, 3)
    assert (part[:FRAME] == 90).all()
    assert (part[FRAME + 2 : FRAME + 10, FRAME + 2 : FRAME + 10] == 0).all()


def test_of_written_lines_the_letters_count_that_stand_in_the_box() -> None:
    line = WrittenLine("abcd", 100, 40, 140, 50, (0.125, 0.375, 0.625, 0.875))
    (kept,) = written_in([line], Box(116, 0, 132, 90))
    assert (kept.text, kept.left, kept.right, kept.top) == ("c", 120 - 116 + FRAME, 130 - 116 + FRAME, 40 + FRAME)
    assert kept.places == (0.5,)
    assert [each.text for each in written_outside([line], [Box(110, 0, 129, 90)])] == ["a", "d"]
    assert written_outside([line], []) == [line]
    assert written_in([line], Box(0, 0, 99, 99)) == []


def part(rotation: Rotation, *said: str) -> OcrPage:
    """A page whose lines stand in the frame's corner."""
    lines = tuple(
        OcrLine(
            text=text,
            confidence=0.9,
            polygon=square(FRAME, FRAME),
            row=row,
            words=(OcrWord(text, 0.9, square(FRAME, FRAME)),),
        )
        for row, text in enumerate(said, 1)
    )
    cells = (OcrCell(0, 0, 1, 1, "", square(FRAME - 5, FRAME)),)
    blocks = (OcrBlock(kind="table", lines=tuple(range(len(lines))), cells=cells),) if lines else ()
    return OcrPage(number=9, width=99, height=99, rotation=rotation, lines=lines, blocks=blocks, language="ru")


def test_parts_become_one_page_in_their_order_and_its_pixels() -> None:
    parts = [(Box(100, 50, 200, 90), part(90, "one", "two")), (Box(0, 7, 20, 20), part(90, "three"))]
    page = put_together(3, 400, 300, [*parts, (Box(0, 0, 9, 9), OcrPage(number=3, width=9, height=9))])
    assert (page.number, page.width, page.height, page.rotation, page.language) == (3, 400, 300, 90, "ru")
    assert page.text == "one\ntwo\nthree"
    assert [line.row for line in page.lines] == [1, 2, 3]
    assert [line.polygon[0] for line in page.lines] == [(100, 50), (100, 50), (0, 7)]
    assert page.lines[2].words[0].polygon == square(0, 7)
    assert [block.lines for block in page.blocks] == [(0, 1), (2,)]
    assert page.blocks[0].cells[0].polygon[0] == (100, 50), "nothing is outside of its part"
    assert put_together(3, 400, 300, []) == OcrPage(number=3, width=400, height=300)


def test_a_page_is_turned_as_most_of_its_text_says() -> None:
    assert turn_of([part(180, "letters"), part(0, "few"), OcrPage(number=1, width=9, height=9)]) == 180
    assert turn_of([]) == 0


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ("[[0, 10, 40, 20]]", [LEFT]),
        ("[0, 10, 40, 20]", [LEFT]),
        ("0,10,40,20", [LEFT]),
        ('[{"x": 0, "y": 10, "width": 40, "height": 20, "page": 0}]', [LEFT]),
        ('{"x": 0, "y": 10, "width": 40, "height": 20}', [LEFT]),
        ('[["5%", "0%", "12.5%", 7.5]]', [Area(x="5%", y="0%", width="12.5%", height=7.5)]),
        ("5%, 0, 10%, 9", [Area(x="5%", y=0.0, width="10%", height=9.0)]),
        ("[]", []),
    ],
)
def test_rectangles_may_be_written_in_several_ways(text: str, areas: list[Area]) -> None:
    assert texts.areas(text, Settings()) == tuple(areas)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3", "no JSON list of rectangles"),
        ("[[1, 2, 3]]", "no JSON list of rectangles"),
        ("[", "no JSON list of rectangles"),
        ('[{"x": 1}]', "no JSON list of rectangles"),
        ('[{"x": 0, "y": 0, "width": 9, "height": 9, "pages": 1}]', "no JSON list of rectangles"),
        ("[[0, 0, 0, 10]]", "width: '0' is neither pixels nor a percentage"),
        ("[[-1, 0, 5, 10]]", "x: '-1' is neither"),
        ('[[0, 0, "101%", 10]]', "width: '101%' is neither"),
        ('[[0, 0, "ten", 10]]', "width: 'ten' is neither"),
        ("[[0, 0, true, 10]]", "width: 'True' is neither"),
        ("[[1e300, 0, 1, 10]]", "x: "),
        ('[{"x": 0, "y": 0, "width": 9, "height": 9, "page": "1"}]', "page: '1' is no number"),
        (str([[0, 0, 1, 1]] * 51), "51 rectangles; at most 50"),
        ('[[0, 0, 1, 1], "x"]', "no JSON list of rectangles"),
    ],
)
def test_what_is_no_rectangle_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(texts.BadOption) as refused:
        texts.areas(text, Settings())
    assert said in str(refused.value)
