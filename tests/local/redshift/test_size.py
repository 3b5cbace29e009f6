"""The stand-in stays small enough to be read, and believed."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "local" / "redshift"
MOST_LINES = 2500
WITHOUT_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def python_lines(text: str) -> int:
    """How many lines hold code: blank lines, comments and docstrings aside."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in WITHOUT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def sql_lines(text: str) -> int:
    """How many lines hold SQL."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("--") for line in text.splitlines())


def test_lines_of_code_are_counted_without_blanks_comments_and_docstrings() -> None:
    assert (
        python_lines(
            '"""Doc\n\nstring."""\n\nx = 1  # one\n# two\n\n\ndef f() -> str:\n    """Doc."""\n    return "a"\n'
        )
        == 3
    )


def test_the_stand_in_is_small() -> None:
    code = sum(python_lines(path.read_text()) for path in FOLDER.rglob("*.py"))
    code += sum(sql_lines(path.read_text()) for path in FOLDER.rglob("*.sql"))
    assert code < MOST_LINES, f"local/redshift has {code} lines of code, and is to stay below {MOST_LINES}."
