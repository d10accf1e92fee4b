"""Many documents and many pages: the list, its history, and leafing through, in a real browser."""

import zipfile
from pathlib import Path

import pikepdf
from PIL import Image
from playwright.sync_api import expect

from samples import FOLDER
from tests.browser.conftest import PHONE, RECEIPT, TABLE, Opened, choose, done, job_of, read
from tests.e2e.conftest import Server
from tests.pdfs import Leaf, pdf, text


def test_documents_stay_after_a_reload_and_a_link_opens_them_elsewhere(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        read(page, RECEIPT, TABLE)
        page.reload()
        expect(page.locator(".items .name")).to_have_count(2)
        # in the order of the uploads, which are two at a time
        page.locator(".items a", has_text="receipt.jpg").click()
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
        link = page.url
    with opened(link) as other:
        expect(other.locator(".lines li").first).to_contain_text("Harbour Street Bakery")


def test_back_leads_from_a_document_to_the_list_and_forward_to_it_again(server: Server, opened: Opened) -> None:
    with opened(server.url, **PHONE) as page:
        choose(page, FOLDER / "tiny.png")
        job = job_of(server, page)["id"]
        page.go_back()
        expect(page.locator(".items .name")).to_be_visible()
        page.locator(".items a").click()
        expect(page.locator(".document h2")).to_be_visible()
        page.go_back()
        expect(page.locator(".items .name")).to_be_visible()
        page.go_forward()
        expect(page.locator(".document h2")).to_have_text("tiny.png")
        assert page.url.endswith(job)


LATE_HASHCHANGE = """
addEventListener("hashchange", (event) => {
  if (event.isTrusted) event.stopImmediatePropagation();
});
"""


def test_what_is_drawn_between_back_and_its_event_does_not_undo_it(server: Server, opened: Opened) -> None:
    with opened(server.url, **PHONE) as page:
        page.add_init_script(LATE_HASHCHANGE)
        page.reload()
        choose(page, FOLDER / "tiny.png")
        page.wait_for_url("**#/*")
        page.evaluate("history.back()")
        page.wait_for_url(lambda url: "#/" not in url)
        page.get_by_role("button", name="Copy text").click()
        expect(page.locator(".toast")).to_be_visible()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        assert "#/" not in page.url
        page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
        expect(page.locator(".items .name")).to_be_visible()


def test_of_a_file_that_lacks_its_end_what_has_come_is_shown_and_the_rest_told(
    server: Server, opened: Opened, tmp_path: Path
) -> None:
    file = tmp_path / "half.jpg"
    file.write_bytes(RECEIPT.read_bytes()[: RECEIPT.stat().st_size // 2])
    with opened(server.url) as page:
        choose(page, file)
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
        expect(page.locator(".reading .notice")).to_have_text("This file lacks its end: what stood below is missing.")
        expect(page.locator(".stage img")).to_be_visible()


def test_search_and_filter_leave_what_matches(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        read(page, RECEIPT, TABLE)
        page.get_by_label("Search names and texts").fill("cinnamon")
        expect(page.locator(".items .name")).to_have_text(["receipt.jpg"])
        page.get_by_label("Search names and texts").fill("")
        page.get_by_label("Show").select_option("failed")
        expect(page.locator(".items li")).to_have_count(0)


def test_many_are_downloaded_as_one_archive_and_deleted_together(server: Server, opened: Opened) -> None:
    with opened(server.url) as page:
        read(page, RECEIPT, TABLE)
        page.get_by_label("Select all").check()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
        assert download.value.path().read_bytes().startswith(b"PK")
        page.locator(".selection").get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_role("button", name="Choose files")).to_be_visible()


def test_of_a_zip_each_file_is_a_document_of_its_own(server: Server, opened: Opened, tmp_path: Path) -> None:
    packed = tmp_path / "scans.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(RECEIPT, "a/receipt.jpg")
        archive.writestr("a/notes.txt", "no picture")
        archive.write(FOLDER / "tiny.png", "tiny.png")
    with opened(server.url) as page:
        choose(page, packed)
        expect(page.locator(".items .name")).to_have_text(["a/receipt.jpg", "a/notes.txt", "tiny.png"])
        expect(page.locator(".document h2")).to_have_text("a/receipt.jpg")
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
        page.locator(".items a", has_text="notes.txt").click()
        expect(page.locator(".document .notice")).to_contain_text("This kind of file cannot be read here.")
        # it is only in the ZIP, of which this browser reads nothing
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        page.reload()
        expect(page.locator(".items .name")).to_have_text(["a/receipt.jpg", "tiny.png"])


def test_three_hundred_files_are_taken_at_once_and_the_page_goes_on_answering(
    server: Server, opened: Opened, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number:03}.png" for number in range(300)]
    for file in files:
        file.write_bytes((FOLDER / "tiny.png").read_bytes())
    with opened(server.url) as page:
        choose(page, *files)
        expect(page.locator(".items li")).to_have_count(300)
        page.get_by_label("Search names and texts").fill("299")
        expect(page.locator(".items .name")).to_have_text(["299.png"])
        page.get_by_label("Search names and texts").fill("")
        page.get_by_label("Select all").check()
        page.locator(".selection").get_by_role("button", name="Cancel").click()
        expect(page.locator('.items .pill[data-status="queued"]')).to_have_count(0)


def test_a_document_with_a_password_is_read_once_that_is_given(server: Server, opened: Opened, tmp_path: Path) -> None:
    plain, locked = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    with Image.open(RECEIPT) as picture:
        picture.save(plain)
    with pikepdf.open(plain) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="sesame", owner="owner"))
    with opened(server.url) as page:
        choose(page, locked)
        expect(page.get_by_label("Password")).to_be_visible()
        page.reload()  # the browser has the file no more; the server has
        page.get_by_label("Password").fill("sesame")
        with page.expect_response(lambda answer: answer.request.method == "DELETE") as forgotten:
            page.get_by_role("button", name="Open", exact=True).click()
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
        # what was locked is no dead letter for the operator to look at
        assert (forgotten.value.status, server.client.get("/dead-letters").json()["items"]) == (204, [])


def test_pages_of_a_document_are_looked_at_and_searched(server: Server, opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "three.pdf"
    with Image.open(FOLDER / "letter.png") as one, Image.open(TABLE) as two, Image.open(RECEIPT) as three:
        one.convert("RGB").save(file, save_all=True, append_images=[two.convert("RGB"), three.convert("RGB")])
    with opened(server.url) as page:
        read(page, file)
        expect(page.locator(".thumbnails button")).to_have_count(3)
        page.get_by_role("button", name="Next page").click()
        expect(page.locator(".lines")).to_contain_text("Lisbon")
        page.get_by_label("Find in the document").fill("cinnamon")
        page.keyboard.press("Enter")
        expect(page.locator(".lines")).to_contain_text("Harbour Street Bakery")


def test_three_hundred_pages_are_leafed_through_and_only_those_looked_at_are_loaded(
    server: Server, opened: Opened
) -> None:
    document = pdf(
        *(Leaf(content=text(f"This is page {number}", top=30, left=10), size=(200, 60)) for number in range(1, 301))
    )
    job = done(server, document, text_layer="auto")
    assert job["pages_done"] == 300
    with opened(f"{server.url}/#/{job['id']}") as page:
        pictures: list[str] = []
        page.on("request", lambda request: pictures.append(request.url) if "/image?width" in request.url else None)
        expect(page.locator(".thumbnails button")).to_have_count(300)
        expect(page.locator(".lines")).to_contain_text("This is page 1")
        page.locator(".pager input").fill("300")
        page.keyboard.press("Enter")
        expect(page.locator(".lines")).to_contain_text("This is page 300")
        page.get_by_label("Find in the document").fill("page 142")
        page.keyboard.press("Enter")
        expect(page.locator(".lines")).to_contain_text("This is page 142")
        assert len(pictures) < 150
