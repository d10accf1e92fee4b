"""What a person does on the page, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from samples import FOLDER
from tests.browser.conftest import PHONE, RECEIPT, TABLE, Opened, choose, done, job_of, read
from tests.e2e.conftest import Server

UPSIDE_DOWN = FOLDER / "upside_down.png"


def test_a_sample_becomes_text_by_one_click(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        page.get_by_role("button", name="Try a sample").click()
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
        expect(page.locator(".document h2")).to_have_text("sample.jpg")


def test_the_page_takes_and_names_every_kind_of_file_that_the_service_reads(server: Server, opened: Opened) -> None:
    kinds = server.client.get("/capabilities").json()["files"]
    with opened(server.url) as page:
        expect(page.locator(".intake .hint")).to_contain_text(", ".join(kind["name"] for kind in kinds))
        accepted = (page.locator("#files").get_attribute("accept") or "").split(",")
    assert {kind["media_type"] for kind in kinds} <= set(accepted)


@pytest.mark.parametrize("presses", [0, 3, -3])
def test_lines_lie_on_their_print_at_every_zoom(server: Server, opened: Opened, presses: int) -> None:
    with opened(server.url) as page:
        read(page, RECEIPT)
        page.wait_for_function("() => document.querySelector('.plane img')?.naturalWidth")
        for _ in range(abs(presses)):
            page.get_by_role("button", name="Zoom in" if presses > 0 else "Zoom out").click()
        job = job_of(server, page)
        boxes = page.evaluate(
            """() => {
                const picture = document.querySelector(".plane img").getBoundingClientRect();
                const scale = picture.width / document.querySelector(".plane img").naturalWidth;
                return [...document.querySelectorAll("polygon.line")].map((each) => {
                    const box = each.getBoundingClientRect();
                    const [left, top] = [box.left - picture.left, box.top - picture.top];
                    return [left, top, left + box.width, top + box.height, scale];
                });
            }"""
        )
    assert len(boxes) == len(job["lines"])
    for (*box, scale), line in zip(boxes, job["lines"], strict=True):
        across, down = zip(*line["polygon"], strict=True)
        known = [min(across) * scale, min(down) * scale, max(across) * scale, max(down) * scale]
        assert box == pytest.approx(known, abs=2)


def test_text_is_selected_on_the_picture_itself(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        read(page, RECEIPT)
        page.locator(".glyphs span", has_text="Cinnamon roll").click(click_count=3)
        assert "Cinnamon roll" in page.evaluate("getSelection().toString()")


def test_a_turned_page_is_shown_upright(server: Server, opened: Opened) -> None:
    first_stands_above = """() => {
        const tops = [...document.querySelectorAll("polygon.line")].map((each) => each.getBoundingClientRect().top);
        return tops[0] < tops.at(-1);
    }"""
    with opened(server.url) as page:
        read(page, UPSIDE_DOWN)
        page.wait_for_function(first_stands_above)
        page.get_by_role("button", name="Turn upright").click()
        page.wait_for_function(f"() => !({first_stands_above})()")


def test_a_document_is_read_again_turned_or_in_a_language_after_a_reload_too(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        read(page, UPSIDE_DOWN)
        page.get_by_label("Read again").select_option("rotate=180")
        expect(page.locator('.items .pill[data-status="done"]')).to_have_count(2)
        expect(page.locator(".lines li").first).to_be_visible()
        turned = job_of(server, page)
        assert (turned["options"]["rotate"], turned["pages"][0]["rotation"]) == ("180", 180)
        page.reload()
        expect(page.locator(".lines li").first).to_be_visible()
        page.get_by_label("Read again").select_option("language=de")
        expect(page.locator('.items .pill[data-status="done"]')).to_have_count(3)
        page.wait_for_function(f"() => !location.hash.includes('{turned['id']}')")
        again = job_of(server, page)
        assert again["languages"] == ["de"]
        assert again["image"] == turned["image"]


def test_a_line_pointed_at_in_the_list_lights_up_on_the_picture_and_the_other_way_round(
    server: Server, opened: Opened
) -> None:
    with opened(server.url) as page:
        read(page, RECEIPT)
        page.locator(".lines li", has_text="Flat white").hover()
        expect(page.locator("polygon.line.active")).to_have_count(1)
        page.locator(".glyphs span", has_text="Orange juice").hover()
        expect(page.locator(".lines li.active")).to_contain_text("Orange juice")


def test_text_and_tables_are_copied(server: Server, opened: Opened) -> None:
    with opened(server.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        read(page, TABLE)
        page.get_by_role("button", name="Copy text").click()
        expect(page.locator(".toast")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == job_of(server, page)["text"]
        page.get_by_role("tab", name="Tables").click()
        page.get_by_role("button", name="Copy table").first.click()
        page.wait_for_function(r"async () => (await navigator.clipboard.readText()).includes('\t')")


def test_every_format_is_saved(server: Server, opened: Opened) -> None:
    formats = server.client.get("/capabilities").json()["formats"]
    for some in (formats[:6], formats[6:]):  # a browser saves ten files that no hand has asked for, and no more
        with opened(server.url) as page:
            read(page, RECEIPT)
            for each in some:
                with page.expect_download() as download:
                    page.get_by_label("Download as").select_option(each["name"])
                assert download.value.suggested_filename == f"receipt{each['suffix']}"
                assert download.value.path().stat().st_size > 0


def test_what_is_refused_says_why(server: Server, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with opened(server.url) as page:
        choose(page, tmp_path / "notes.txt")
        expect(page.locator(".document .notice")).to_contain_text("This kind of file cannot be read here.")


def test_of_a_document_that_the_server_has_deleted_it_says_so(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        read(page, FOLDER / "tiny.png")
        server.client.delete(f"/images/{job_of(server, page)['id']}")
        page.reload()
        expect(page.locator(".document")).to_contain_text("The server has deleted this document")


def test_a_page_of_which_text_is_missing_is_told_apart_from_a_whole_one(server: Server, opened: Opened) -> None:
    def cut(route: Route) -> None:
        answer = route.fetch()
        job = answer.json()
        for each in job["pages"]:
            each["truncated"] = True
        route.fulfill(response=answer, json=job)

    with opened(server.url) as page:
        page.route("**/images/*detail=lines", cut)
        read(page, RECEIPT)
        expect(page.locator(".document .notice")).to_contain_text("Page 1 holds more text than is read of one page.")


def test_keys_alone_are_enough(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        page.get_by_role("button", name="Try a sample").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".document h2")).to_be_focused()
        expect(page.locator(".lines li").first).to_be_visible()
        page.locator(".lines").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".lines li.active")).to_contain_text("14 Harbour Street")
        page.locator(".stage").focus()
        width = "document.querySelector('.plane').getBoundingClientRect().width"
        before = page.evaluate(width)
        page.keyboard.press("+")
        page.wait_for_function(f"() => {width} > {before}")
        page.get_by_label("Find in the document").fill("change")
        page.keyboard.press("Enter")
        expect(page.locator(".lines li.active")).to_contain_text("Change")
        page.get_by_label("Select sample.jpg").focus()
        page.keyboard.press("Space")
        page.locator(".selection").get_by_role("button", name="Delete").focus()
        page.keyboard.press("Enter")
        page.get_by_role("dialog").get_by_role("button", name="Delete").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Choose files")).to_be_focused()


@pytest.mark.parametrize("context", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    server: Server, opened: Opened, context: dict[str, Any]
) -> None:
    with opened(server.url, **context) as page:
        assert violations(page) == []
        choose(page, RECEIPT)
        expect(page.locator(".lines li").first).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{server.url}/operations")
        expect(page.get_by_role("heading", name="Workers")).to_be_visible()
        assert violations(page) == []


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core holds against the page, once there is one."""
    expect(page.locator("main")).to_be_visible()
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize(
    ("locale", "words"), [("de-DE", "Dateien wählen"), ("zh-CN", "选择文件"), ("fr-FR", "Choose files")]
)
def test_the_page_speaks_the_browsers_language(server: Server, opened: Opened, locale: str, words: str) -> None:
    with opened(server.url, locale=locale) as page:
        expect(page.get_by_role("button", name=words, exact=True)).to_be_visible()


def test_the_control_room_shows_what_the_service_says(server: Server, opened: Opened) -> None:
    done(server, RECEIPT.read_bytes())
    for each in server.client.get("/dead-letters").json()["items"]:  # of other tests
        server.client.delete(f"/dead-letters/{each['id']}")
    with opened(server.url) as page:
        page.get_by_role("link", name="Operations").click()
        expect(page.locator(".verdict")).to_have_text("All is well")
        expect(page.locator(".tile", has_text="Reading a sample")).to_contain_text("Smart Queue OCR 2026")
        minutes = server.client.get("/queue/history").json()["minutes"]
        read = page.locator(".tile", has_text="Pages read, last hour")
        expect(read.locator(".figure")).to_have_text(str(sum(each["pages_read"] for each in minutes)))
        expect(read.locator("g")).to_have_count(sum(each["pages_read"] > 0 for each in minutes))


def test_what_a_phone_shares_with_the_installed_page_is_read(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        page.evaluate(
            """async () => {
                for (;;) {
                    const registered = await navigator.serviceWorker.getRegistration("share");
                    const { active, installing, waiting } = registered ?? {};
                    if (active?.state === "activated") return;
                    const coming = installing ?? waiting ?? active;
                    await new Promise((done) => {
                        if (coming) coming.addEventListener("statechange", done, { once: true });
                        else setTimeout(done); // the page has not asked for it yet
                    });
                }
            }"""
        )
        # what a phone does with a share: it posts a form to the address that the manifest names
        page.evaluate(
            """() => {
                const form = Object.assign(document.createElement("form"),
                    { method: "POST", action: "share", enctype: "multipart/form-data" });
                const input = { type: "file", name: "file", id: "shared" };
                form.append(Object.assign(document.createElement("input"), input));
                document.body.append(form);
            }"""
        )
        page.locator("#shared").set_input_files(RECEIPT)
        page.evaluate("document.querySelector('#shared').form.submit()")
        expect(page.locator(".document h2")).to_have_text("receipt.jpg")
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
