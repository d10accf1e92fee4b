"""What is paper, and what is ink."""

import numpy as np
import pytest

from ocr_engine.image.ink import from_paper, ink_of


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (7, 5), (40, 300)])
def test_paper_is_the_median(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    away = from_paper(np.repeat(grey[:, :, None], 3, axis=2))
    paper = int(np.median(grey))
    assert away.tolist() == np.abs(grey.astype(int) - paper).tolist()


@pytest.mark.parametrize(("paper", "ink"), [(250, 20), (20, 250)])
def test_ink_is_what_is_unlike_the_paper_be_that_bright_or_dark(paper: int, ink: int) -> None:
    part = np.full((20, 60, 3), paper, np.uint8)
    part[5:15, 10:14] = ink
    told = ink_of(from_paper(part))
    assert told.sum() == 40
    assert told[5:15, 10:14].all()


def test_faint_specks_are_no_print() -> None:
    part = np.full((20, 60, 3), 200, np.uint8)
    part[5:15, 10:14] = 160
    assert not ink_of(from_paper(part)).any()
    assert ink_of(from_paper(part), contrast=0).sum() == 40
