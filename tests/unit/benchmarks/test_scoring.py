"""The accuracy figures mean what docs/accuracy.md says."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from benchmarks.accuracy import run as accuracy
from benchmarks.accuracy.manifest import load, quick
from benchmarks.accuracy.places import box_edits
from benchmarks.accuracy.polygons import area, shape, shared_area
from benchmarks.accuracy.scoring import Figures, figures, score
from benchmarks.accuracy.signs import ascii_words, normalise
from benchmarks.accuracy.tables import COLUMNS
from benchmarks.accuracy.tesseract import lines_of
from benchmarks.accuracy.truth import Line, Overlap, Read, Truth
from benchmarks.report.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parents[3]


def at(text: str, left: float, top: float, right: float, bottom: float) -> Line:
    return Line(text, shape((left, top, right, bottom)))


def test_the_error_rate_is_edits_by_characters_of_the_truth() -> None:
    counted = score(Truth(lines=("TOTAL 13.40",)), [Line("TOTAI 13.4")])
    assert (counted.edits, counted.characters) == (2, 10)
    assert figures([counted]).cer == 0.2


def test_white_space_and_line_breaks_do_not_count() -> None:
    counted = score(Truth(lines=("two", "lines of text")), [Line("two lines"), Line("oftext")])
    assert counted.edits == 0


def test_upper_and_lower_case_differ_unless_they_are_taken_for_the_same() -> None:
    counted = score(Truth(lines=("Total",)), [Line("TOTAL")])
    assert (counted.edits, counted.edits_ci) == (4, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [("“it’s” – so…", '"it\'s" - so...'), ("ﬁne", "fine"), ("１２", "12"), ("• a_b", "·ab"), ("a b", "ab")],
)
def test_signs_that_transcribers_choose_between_are_the_same(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_words_are_runs_of_ascii_letters_and_digits() -> None:
    assert ascii_words("Flat-white, 3.40 € für ②") == ["Flat", "white", "3", "40", "f", "r", "2"]


def test_word_figures_compare_bags_so_that_order_does_not_count() -> None:
    counted = score(Truth(lines=("the cat the dog",)), [Line("dog the cow")])
    assert counted.words == Overlap(common=2, truth=4, read=3)
    assert counted.words.precision == pytest.approx(2 / 3)
    assert counted.words.recall == pytest.approx(1 / 2)
    assert counted.words.f1 == pytest.approx(4 / 7)


def test_the_bag_of_characters_serves_text_without_spaces() -> None:
    assert score(Truth(lines=("北京市",)), [Line("市北")]).bag == Overlap(common=2, truth=3, read=2)


def test_a_wrong_order_shows_in_the_error_rate_but_not_place_by_place() -> None:
    lines = (at("first line", 0, 0, 100, 10), at("second one", 0, 20, 100, 30))
    counted = score(Truth(lines=("first line", "second one"), boxed=lines), lines[::-1])
    assert counted.edits_ci > 0
    assert counted.row_edits_ci == 0
    assert counted.box_edits_ci == 0


def test_place_by_place_unmatched_boxes_count_whole() -> None:
    truth = [at("abc", 0, 0, 30, 10), at("missed", 0, 50, 60, 60)]
    read = [at("abd", 1, 0, 31, 10), at("made up", 200, 200, 270, 210)]
    assert box_edits(truth, read) == 1 + 6 + 6


def test_words_in_one_read_line_are_compared_together() -> None:
    truth = [at("two", 0, 0, 30, 10), at("words", 40, 0, 90, 10)]
    assert box_edits(truth, [at("two words", 0, 0, 90, 10)]) == 0


def test_without_places_rows_cannot_be_sorted_and_boxes_not_compared() -> None:
    counted = score(Truth(lines=("ab",), boxed=(at("ab", 0, 0, 9, 9),)), [Line("b"), Line("a")])
    assert counted.row_edits_ci == counted.edits_ci == 2
    assert counted.box_edits_ci is None


def test_what_is_read_in_ignored_places_does_not_count() -> None:
    truth = Truth(lines=("text",), ignore=(shape((0, 50, 100, 100)),))
    assert score(truth, [at("text", 0, 0, 40, 10), at("a logo", 0, 60, 50, 70)]).edits == 0


def test_figures_are_pooled_rather_than_averaged() -> None:
    long = score(Truth(lines=("a" * 90,)), [Line("a" * 90)])
    short = score(Truth(lines=("b" * 10,)), [])
    assert figures([long, short]).cer == 0.1


def test_an_incomplete_truth_counts_for_words_but_not_for_the_error_rate() -> None:
    partial = score(Truth(lines=("some",), complete=False), [Line("some more text")])
    full = score(Truth(lines=("word",)), [Line("word")])
    both = figures([partial, full])
    assert both.cer == 0
    assert both.word_precision == pytest.approx(2 / 4)
    assert figures([partial]).cer == 2


def test_an_empty_set_of_words_has_figures_of_zero() -> None:
    nothing = figures([score(Truth(lines=("。",)), [])])
    assert (nothing.word_f1, nothing.word_precision, nothing.cer) == (0, 0, 1)


def test_areas_do_not_depend_on_the_sense_of_the_corners() -> None:
    square, diamond = shape((0, 0, 10, 10)), shape([[5, 0], [10, 5], [5, 10], [0, 5]])
    assert area(square) == area(square[::-1]) == 100
    assert shared_area(square, diamond) == shared_area(diamond[::-1], square) == pytest.approx(50)
    assert shared_area(square, shape((20, 20, 30, 30))) == 0


def test_a_folder_of_images_with_their_texts_is_a_manifest() -> None:
    cases = load(ROOT / "samples")
    assert {case.set for case in cases} == {"samples"}
    assert "Thank you for your visit!" in next(case for case in cases if case.file == "receipt.jpg").truth.lines


def test_predictions_are_scored_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"two")
    entries = [
        {"file": "a.png", "set": "x", "text": ["hello"], "boxes": [[0, 0, 50, 10]], "ignore": [], "complete": True},
        {"file": "b.png", "set": "y", "text": ["world"], "boxes": None, "ignore": [], "complete": True},
    ]
    predictions = [{"file": "a.png", "lines": [{"text": "hallo", "box": [[0, 0], [50, 0], [50, 10], [0, 10]]}]}]
    write_lines(tmp_path / "manifest.jsonl", entries)
    write_lines(tmp_path / "read.jsonl", predictions)
    manifest, read, report = (str(tmp_path / name) for name in ("manifest.jsonl", "read.jsonl", "report.json"))
    assert accuracy.main([manifest, "--predictions", read, "--json", report]) == 0
    assert "ALL" in capsys.readouterr().out
    written = msgspec.json.decode(Path(report).read_bytes(), type=accuracy.Report)
    rates = {row.set: (row.figures.cer, row.figures.box_ci) for row in written.summary}
    assert rates == {"x": (0.2, 0.2), "y": (1.0, None), "ALL": (0.6, 0.2)}
    assert written.machine == fingerprint()


def test_an_engine_that_fails_on_an_image_has_read_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "a.txt").write_text("text")

    def failing(_: object) -> Read:
        raise RuntimeError("no such model")

    [outcome] = accuracy.run(load(tmp_path), [("broken", failing)], lambda _: None)
    assert outcome.error == "RuntimeError: no such model"
    assert outcome.score.edits == 4


def test_several_manifests_are_one_run_with_figures_by_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tmp_path / "languages"
    both.mkdir()
    write_lines(
        both / "pages.jsonl", [{"file": f"{code}.png", "set": code, "text": [code]} for code in ("de", "zh-Hans")]
    )
    write_lines(both / "tight.jsonl", [{"file": "t.png", "set": "de", "text": ["eng"]}])
    write_lines(tmp_path / "manifest.jsonl", [{"file": "r.png", "set": "receipts", "text": ["total"], "lang": "en"}])
    write_lines(tmp_path / "read.jsonl", [{"file": "t.png", "lines": [{"text": "eng"}]}])
    for path in (*(both / name for name in ("de.png", "zh-Hans.png", "t.png")), tmp_path / "r.png"):
        path.touch()
    argv = [str(both), str(tmp_path / "manifest.jsonl"), "--predictions", str(tmp_path / "read.jsonl")]
    assert accuracy.main([*argv, "--json", str(tmp_path / "report.json")]) == 0
    written = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=accuracy.Report)
    name = tmp_path.resolve().name
    sets = ["pages/de", "pages/zh-Hans", "tight/de", f"{name}/receipts"]
    assert [row.set for row in written.summary] == [*sets, "pages/ALL", "ALL"]
    assert {row.set: row.figures.unicode_f1 for row in written.languages} == {"de": 2 / 3, "en": 0, "zh-Hans": 0}
    assert "language" in capsys.readouterr().out


def test_a_set_may_be_said_to_be_ordered_by_rows(tmp_path: Path) -> None:
    left, right = [0, 0, 20, 9], [30, 0, 60, 9]
    write_lines(tmp_path / "manifest.jsonl", [{"file": "a.png", "set": "x", "text": ["left", "right"]}])
    lines = [{"text": "right", "box": right}, {"text": "left", "box": left}]
    write_lines(tmp_path / "read.jsonl", [{"file": "a.png", "lines": lines}])
    (tmp_path / "a.png").touch()
    manifest, read, report = (str(tmp_path / name) for name in ("manifest.jsonl", "read.jsonl", "report.json"))
    assert accuracy.main([manifest, "--predictions", read, "--rows", "x", "--json", report]) == 0
    (row,) = msgspec.json.decode(Path(report).read_bytes(), type=accuracy.Report).summary
    assert row.figures.cer_spaced == 0
    assert row.figures.cer > 0


TABLE_OF_WORDS = """\
level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext
1\t1\t0\t0\t0\t0\t0\t0\t200\t80\t-1\t
4\t1\t1\t1\t1\t0\t10\t10\t90\t12\t-1\t
5\t1\t1\t1\t1\t1\t10\t10\t40\t12\t96.1\t"Flat
5\t1\t1\t1\t1\t2\t55\t11\t45\t11\t95.0\tWhite"
5\t1\t1\t1\t2\t1\t10\t40\t30\t10\t90.0\t3.40
5\t1\t2\t1\t1\t1\t10\t70\t30\t10\t95.0\t
"""


def test_tesseracts_table_of_words_becomes_lines_with_their_places() -> None:
    first, second = lines_of(TABLE_OF_WORDS)
    assert (first.text, first.shape) == ('"Flat White"', shape((10, 10, 100, 22)))
    assert [word.text for word in first.words] == ['"Flat', 'White"']
    assert second == Line("3.40", shape((10, 40, 40, 50)), (Line("3.40", shape((10, 40, 40, 50))),))


def test_an_engine_that_was_asked_for_and_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert accuracy.main([str(ROOT / "samples"), "--engine", "tesseract"]) == 2
    assert "accuracy: tesseract cannot be run" in capsys.readouterr().err


def test_a_quick_look_takes_the_same_few_images_of_each_set() -> None:
    cases = load(ROOT / "samples")
    assert quick(cases) == cases[:3]


@pytest.mark.parametrize(
    "argv", [["no/such/manifest.jsonl"], [str(ROOT / "tests")], [str(ROOT / "samples"), "--set", "x"]]
)
def test_a_run_that_cannot_start_says_why(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main([*argv, "--predictions", str(ROOT / "README.md")]) == 2
    assert capsys.readouterr().err.startswith("accuracy: ")


def write_lines(path: Path, objects: Sequence[object]) -> None:
    path.write_bytes(b"\n".join(msgspec.json.encode(thing) for thing in objects))


@pytest.mark.parametrize("figure", [column for columns in COLUMNS for column in columns])
def test_every_figure_that_is_shown_is_defined(figure: str) -> None:
    assert f"| `{figure}` |" in (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    assert figure in Figures.__struct_fields__
