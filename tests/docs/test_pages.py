"""What is documented runs."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.blocks import ROOT, blocks, pages

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The blocks of a page run one after the other in one namespace; `no-run` ones compile.

    Where a page uses `antiphon.simulation`, `asyncio.run` runs in virtual time.
    """
    monkeypatch.chdir(tmp_path)
    if "antiphon.simulation" in page.read_text(encoding="utf-8"):
        from antiphon.simulation.loop.virtual_time import run

        monkeypatch.setattr(asyncio, "run", run)
    module = ModuleType("__main__")  # annotations of structs are looked up in their module
    monkeypatch.setitem(__import__("sys").modules, "page", module)
    module.__dict__["__name__"] = "page"
    for block in blocks(page):
        code = block.compile()
        if block.run:
            exec(code, module.__dict__)  # type: ignore[arg-type]  # noqa: S102 - our own pages


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository names one that is there."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [link.partition("#")[0] for link in _LINK.findall(text) if "://" not in link]
    assert [t for t in targets if t and not (page.parent / t).exists()] == []


def test_the_index_names_every_page() -> None:
    """docs/README.md links to each page of docs/."""
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    named = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in _LINK.findall(index)}
    present = {page.resolve() for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"}
    assert present - named == set()


def test_blocks_are_found_where_they_stand(tmp_path: Path) -> None:
    """A block knows its line, whether to run, and what was indented with its fence."""
    page = tmp_path / "page.md"
    page.write_text(
        "Text\n```python\na = 1\n```\n- item\n  ```python no-run\n  b = 2\n  ```\n```sh\nls\n```\n"
    )
    first, second = blocks(page)
    assert (first.line, first.text, first.run) == (3, "a = 1\n", True)
    assert (second.line, second.text, second.run) == (7, "b = 2\n", False)


def test_a_failing_block_names_its_line(tmp_path: Path) -> None:
    """The traceback of a block points into the page."""
    page = tmp_path / "page.md"
    page.write_text("Text\n\n```python\na = 1\nb = a / 0\n```\n")
    (block,) = blocks(page)
    with pytest.raises(ZeroDivisionError) as caught:
        exec(block.compile(), {})  # type: ignore[arg-type]  # noqa: S102
    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == (str(page), 5)


def test_an_open_block_is_an_error(tmp_path: Path) -> None:
    """A page whose last block is not closed is refused, with its line."""
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n")
    with pytest.raises(ValueError, match=r"page\.md:1"):
        blocks(page)
