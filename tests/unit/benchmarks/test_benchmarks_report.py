"""What becomes of a report: tables, a file, a page, a comparison."""

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from benchmarks.report import compare, plots, report, tables
from benchmarks.report.html import page
from benchmarks.report.plots import Plot, Series, svg, ticks
from tests.unit.benchmarks.benchmark_reports import full_report


def elements(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text.removeprefix("<!DOCTYPE html>")).iter())


def test_the_page_is_well_formed_and_shows_every_table_and_plot() -> None:
    tags = [element.tag.rpartition("}")[2] for element in elements(page(full_report()))]
    assert tags.count("svg") == 3
    assert tags.count("table") == len(tables.tables(full_report())) == 7


def test_the_page_needs_nothing_beside_itself() -> None:
    text = page(full_report())
    for element in elements(text):
        assert element.tag.rpartition("}")[2] not in ("script", "link", "img", "iframe")
        assert not {"src", "href"} & set(element.keys())
    assert "@import" not in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_what_a_machine_or_peer_is_called_cannot_break_the_page() -> None:
    text = page(full_report())
    assert "A &lt;CPU&gt; &amp; more" in text
    assert "a &lt;peer&gt; &amp; co" in text


def test_figures_of_a_busy_machine_are_marked_everywhere() -> None:
    warning = tables.warning(full_report())
    assert warning
    assert warning in report.text(full_report())
    assert warning in page(full_report())
    assert not tables.warning(msgspec.structs.replace(full_report(), load_before=0.1))


def test_a_page_of_the_store_alone_has_no_plots() -> None:
    assert "<svg" not in page(msgspec.structs.replace(full_report(), service=None, pool=None))


def test_the_terminal_shows_shares_of_ideal_and_ceiling() -> None:
    row = next(line for line in report.text(full_report()).splitlines() if line.startswith("service, 2 workers"))
    assert row.split()[3:7] == ["3.90", "4.00", "97.5%", "98.0%"]


def test_the_terminal_shows_what_a_core_of_postgresql_carries_and_what_spreading_costs() -> None:
    rows = [line.split() for line in report.text(full_report()).splitlines()]
    assert ["2", "nodes", "0.1", "MB", "800", "400", "200", "20.0", "4.0", "250", "120", "110"] in rows
    (split,) = (row for row in rows if row[:3] == ["1", "x", "2"])
    assert split[3:5] == ["3.80", "95.0%"]
    assert split[-5:] == ["0.50", "to", "0.80", "-", "-"]


def test_jobs_that_a_cluster_lost_are_failed_jobs() -> None:
    whole = full_report()
    assert whole.cluster is not None
    lost = msgspec.structs.replace(whole.cluster.splits[0], errors=3)
    cluster = msgspec.structs.replace(whole.cluster, splits=(lost,))
    assert report.failed_jobs(msgspec.structs.replace(whole, cluster=cluster)) == report.failed_jobs(whole) + 3


def test_a_report_comes_back_from_its_file(tmp_path: Path) -> None:
    files = tmp_path / "deep" / "report.json", tmp_path / "report.html"
    report.write(full_report(), *files)
    assert report.read(files[0]) == full_report()
    assert files[1].read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0.0, [0, 1]),
        (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (9.3, [0, 2, 4, 6, 8, 10]),
        (0.004, [0, 0.001, 0.002, 0.003, 0.004]),
    ],
)
def test_ticks_are_round_and_reach_the_largest_value(most: float, expected: list[float]) -> None:
    assert ticks(most) == expected


def test_ticks_of_counts_are_whole() -> None:
    assert ticks(2, whole=True) == [0, 1, 2]


def test_a_plot_draws_its_points_to_scale() -> None:
    drawn = svg(Plot(title="t", x="x", y="y", series=[Series(name="s", points=[(0, 0), (10, 5)])]))
    path = next(element for element in elements(drawn) if element.get("class") == "line c0")
    bottom, right = plots.HEIGHT - plots.BOTTOM, plots.WIDTH - plots.RIGHT
    assert path.get("d") == f"M{plots.LEFT:.1f} {bottom:.1f}L{right:.1f} {plots.TOP:.1f}"


def test_a_plot_of_nothing_is_nothing() -> None:
    assert svg(Plot(title="t", x="x", y="y", series=[Series(name="s", points=[])])) == ""


def test_compare_pairs_entries_by_what_they_are_about_not_by_their_place() -> None:
    a = {"service": {"workers": [{"workers": 1, "rate": 2.0}, {"workers": 2, "rate": 3.0}]}}
    b = {"service": {"workers": [{"workers": 2, "rate": 6.0}]}}
    (only,) = compare.compare(a, b)
    assert (only.figure, only.ratio) == ("service.workers[2].rate", 2.0)


def test_compare_keeps_loads_apart_by_their_order() -> None:
    loads = {"load": [{"workers": 2, "offered": 1.0}, {"workers": 2, "offered": 2.0}]}
    assert [ratio.figure for ratio in compare.compare(loads, loads)] == ["load[2].offered", "load[2 #2].offered"]


@pytest.mark.parametrize(("a", "b", "ratio"), [(0.0, 0.0, 1.0), (0.0, 1.0, float("inf")), (2.0, 1.0, 0.5)])
def test_a_ratio_is_b_by_a(a: float, b: float, ratio: float) -> None:
    assert compare.Ratio("f", a, b).ratio == ratio


def test_compare_shows_ratios_and_says_when_machines_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    other = msgspec.structs.replace(full_report().machine, cores_usable=4)
    report.write(full_report(), a, None)
    report.write(msgspec.structs.replace(full_report(), machine=other), b, None)
    assert compare.main([str(a), str(b)]) == 0
    shown = capsys.readouterr().out
    assert "not the same machine: cores_usable: 2 / 4" in shown
    assert "service.floor.rate" in shown
    assert compare.main([str(a), str(tmp_path / "none.json")]) == 2
