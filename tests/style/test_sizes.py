"""How long things may get. A long one means a missing noun."""

from __future__ import annotations

import ast

from tests.style.source import Source, classes, dotted, everywhere, functions, python, report

FILE_LINES = 500
FUNCTION_LINES = 60
CLASS_METHODS = 20
# What these implement was drawn up elsewhere, and has that many methods.
FOREIGN_INTERFACES = {"TCPTransport"}  # asyncio.Transport


def long_files(source: Source) -> list[str]:
    """The file, if it is longer than the cap."""
    lines = source.text.count("\n")
    return [f"{source.path}:{lines}: {lines} lines"] if lines > FILE_LINES else []


def long_functions(source: Source) -> list[str]:
    """The functions that are longer, from `def` to their last line, than the cap."""
    return [
        source.at(node, f"{node.name} has {lines} lines")
        for node in functions(source)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def crowded_classes(source: Source) -> list[str]:
    """The classes with more methods than the cap."""
    return [
        source.at(node, f"{node.name} has {count} methods")
        for node in classes(source)
        if (count := _methods(node)) > CLASS_METHODS and node.name not in FOREIGN_INTERFACES
    ]


def _methods(node: ast.ClassDef) -> int:
    """How many methods a class defines; overloads count once, properties are attributes."""
    return len(
        {
            item.name
            for item in node.body
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            and not any(
                dotted(mark).endswith(("property", ".setter")) for mark in item.decorator_list
            )
        }
    )


def test_files_are_short() -> None:
    """No Python file is longer than the cap."""
    report(
        f"A file has at most {FILE_LINES} lines: give the missing noun a module of its own.",
        [line for source in everywhere() for line in long_files(source)],
    )


def test_functions_are_short() -> None:
    """No function is longer than the cap."""
    report(
        f"A function has at most {FUNCTION_LINES} lines.",
        [line for source in everywhere() for line in long_functions(source)],
    )


def test_classes_have_few_methods() -> None:
    """No class of the package has more methods than the cap."""
    report(
        f"A class has at most {CLASS_METHODS} methods: compose it of smaller ones.",
        [line for source in python("src") for line in crowded_classes(source)],
    )


def _source(text: str) -> Source:
    return Source("src/antiphon/example.py", text, ast.parse(text))


def test_the_caps_are_exact() -> None:
    """What is as long as its cap passes; what is longer by one is found with its place."""
    assert long_files(_source("x\n" * 500)) == []
    assert long_files(_source("x\n" * 501)) == ["src/antiphon/example.py:501: 501 lines"]

    body = "def f():\n" + "    x\n" * 59
    assert long_functions(_source(body)) == []
    assert long_functions(_source(f"\n@d\nasync {body}    x\n")) == [
        "src/antiphon/example.py:3: f has 61 lines"
    ]

    methods = "".join(f"    def m{i}(self): pass\n" for i in range(20))
    extra = "    @property\n    def p(self): pass\n    @overload\n    def m1(self): pass\n"
    assert crowded_classes(_source(f"class A:\n{methods}{extra}")) == []
    assert crowded_classes(_source(f"class A:\n{methods}    async def n(self): pass\n")) == [
        "src/antiphon/example.py:1: A has 21 methods"
    ]
