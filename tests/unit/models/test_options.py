"""What is chosen about recognition says itself, but for its secret."""

import io

from ocr_engine.options import ReadOptions


def test_a_password_is_in_no_repr() -> None:
    options = ReadOptions(password="opensesame", text_layer="auto")
    shown = f"{options!r} {options} {options.__rich_repr__()} {[options]}"
    assert "opensesame" not in shown
    assert "password='***'" in shown
    assert "text_layer='auto'" in shown
    assert "password=''" in repr(ReadOptions())


def test_an_error_that_shows_its_arguments_shows_no_password() -> None:
    file = io.StringIO()
    print(ValueError("cannot be read", ReadOptions(password="opensesame")), file=file)
    assert "opensesame" not in file.getvalue()
