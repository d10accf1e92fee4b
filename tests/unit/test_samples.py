"""The samples are complete, small and told of."""

import pytest

from samples import FOLDER, Sample, all_samples, sample
from samples.make import SAMPLES


@pytest.mark.parametrize("known", all_samples(), ids=lambda known: known.name)
def test_every_sample_is_an_image_with_its_text(known: Sample) -> None:
    assert known.data
    assert known.text
    assert all(line == line.strip() and line for line in known.text.split("\n"))
    assert sample(known.name) == known


def test_every_sample_is_drawn_by_the_script_and_named_in_the_readme() -> None:
    assert sorted(draw.__name__ for draw in SAMPLES) == [each.name for each in all_samples()]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [each.name for each in all_samples() if f"`{each.path.name}`" not in readme] == []


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 1_500_000


@pytest.mark.parametrize("name", ["nothing", "../README", "README", "make", "*"])
def test_a_sample_that_does_not_exist_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        sample(name)
