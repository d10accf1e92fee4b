"""An earlier reading that lies in a PDF unseen is taken out, where the page was read anew."""

import re
from collections.abc import Iterable

import pikepdf
from pikepdf import ContentStreamInlineImage, ContentStreamInstruction, Dictionary, Name, Operator

from ocr_engine.document.pdf.contents import MAX_DEPTH

_SHOWS = {"Tj", "TJ", "'", '"'}
_INVISIBLE_MODE = 3
_SETS_UNSEEN = re.compile(rb"(?:^|[\s\]>)])3\s+Tr\b")


def without_unseen_text(document: pikepdf.Pdf, page: pikepdf.Page) -> bool:
    """Takes out of the page's drawing, and of the forms it shows, all text that is not drawn (mode 3).

    True where there was any; else not a byte is changed.
    """
    changed = False
    contents = page.obj.get(Name.Contents)
    if contents is not None and _SETS_UNSEEN.search(_bytes(contents)):
        drawing = _without(pikepdf.parse_content_stream(page))
        if drawing is not None:
            page.obj.Contents = document.make_stream(drawing)
            changed = True
    return _in_forms(page.resources, set(), 0) or changed


def _in_forms(resources: pikepdf.Object, seen: set[tuple[int, int]], depth: int) -> bool:
    changed = False
    forms = resources.get(Name.XObject)
    if depth == MAX_DEPTH or not isinstance(forms, Dictionary):
        return False
    for form in forms.as_dict().values():
        if not isinstance(form, pikepdf.Stream) or form.get(Name.Subtype) != Name.Form or form.objgen in seen:
            continue
        seen.add(form.objgen)
        if _SETS_UNSEEN.search(form.read_bytes()):
            drawing = _without(pikepdf.parse_content_stream(form))
            if drawing is not None:
                form.write(drawing)
                changed = True
        inner = form.get(Name.Resources)
        if isinstance(inner, Dictionary):
            changed = _in_forms(inner, seen, depth + 1) or changed
    return changed


def _without(instructions: Iterable[ContentStreamInstruction | ContentStreamInlineImage]) -> bytes | None:
    """The drawing without unseen text; None where it has none."""
    kept: list[ContentStreamInstruction | ContentStreamInlineImage] = []
    mode, saved, found = 0, list[int](), False
    for instruction in instructions:
        match str(instruction.operator):
            case "q":
                saved.append(mode)
            case "Q":
                mode = saved.pop() if saved else mode
            case "Tr" if instruction.operands:
                mode = int(instruction.operands[0])
            case operator if operator in _SHOWS and mode == _INVISIBLE_MODE:
                found = True
                if operator in ("'", '"'):
                    kept.append(ContentStreamInstruction([], Operator("T*")))
                continue
        kept.append(instruction)
    return pikepdf.unparse_content_stream(kept) if found else None


def _bytes(contents: pikepdf.Object) -> bytes:
    parts = contents if isinstance(contents, pikepdf.Array) else [contents]
    return b"\n".join(part.read_bytes() for part in parts if isinstance(part, pikepdf.Stream))
