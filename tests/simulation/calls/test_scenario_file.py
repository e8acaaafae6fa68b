"""Files of scenarios that people, and programs, got wrong: one error that names the place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import AntiphonError, InvalidInputError
from antiphon.simulation.mapping_file import read_mapping, read_yaml
from tests.scale import examples

LAUGHS = "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

WRONG = {
    LAUGHS: r"call, line \d+: more than 50,000 parts",
    "a: &a [1, *a]": r"call, line 1: \*a stands for a part that it is in",
    "a: &a {b: {c: *a}}": r"\*a stands for a part that it is in",
    "[" * 2_000: "more than 50 parts in each other",
    "{a: " * 200 + "1": "more than 50 parts in each other",
    "a: 2024-13-45": "call cannot be read: month must be",
    "a: 2024-02-30 25:61:00": "call cannot be read",
    "a: *nothing": "undefined alias",
    "a: 1\na: 2": "line 2: 'a' is there twice",
    "a: !!python/object:os.system [x]": "could not determine a constructor",
    "a: !!int nothing": "call cannot be read",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named(text: str) -> None:
    """Bombs of aliases, parts within themselves, impossible dates: refused at once, in one line."""
    with pytest.raises(InvalidInputError, match=WRONG[text]):
        read_yaml(text, "call")


def test_an_alias_is_what_it_stands_for() -> None:
    """Those that are no bomb work."""
    assert read_yaml("a: &x [1, 2]\nb: *x", "call") == {"a": [1, 2], "b": [1, 2]}


def test_a_word_that_begins_like_a_truth_value_is_a_word() -> None:
    """Only true and false are truth values."""
    assert read_yaml("a: truethat\nb: true", "call") == {"a": "truethat", "b": True}


def test_huge_numbers_are_read_or_refused() -> None:
    """Python reads no integer of thousands of digits: that is an error like another."""
    with pytest.raises(InvalidInputError, match="call cannot be read"):
        read_yaml(f"a: {'9' * 10_000}", "call")


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
def test_files_of_any_kind_are_bounded(tmp_path: Path, suffix: str) -> None:
    """By size, and where they go too deep."""
    path = tmp_path / f"call{suffix}"
    path.write_text(" " * 1_000_001)
    with pytest.raises(InvalidInputError, match=r"1,000,001 bytes.*at most 1,000,000"):
        read_mapping(path)
    deep = {".yaml": "[", ".json": "[", ".toml": "a = " + "["}[suffix]
    path.write_text(deep + "[" * 100_000)
    with pytest.raises(InvalidInputError, match="call"):
        read_mapping(path)


PIECES = [
    "name: x",
    "steps:",
    "- ",
    "says: ",
    "a: &a ",
    "*a",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "  ",
    "1e999",
]


@examples()
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=20))
def test_no_text_is_more_than_an_error(pieces: list[str]) -> None:
    """Whatever a file holds: data, or one error of ours."""
    with contextlib.suppress(AntiphonError):
        read_yaml("".join(pieces), "call")
