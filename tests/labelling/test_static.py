"""Test the scripts and the style sheets."""

from __future__ import annotations

import re
from pathlib import Path

from respan_notebook.labelling import static
from respan_notebook.labelling.static import read_static


def test_log_css__touches_nothing_but_logs() -> None:
    sheet = read_static("log.css")
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", sheet)
    selectors = [part for rule in rules for part in re.split(r",(?![^(]*\))", rule)]
    assert len(selectors) > 50
    assert [one for one in selectors if not one.strip().startswith(".rn-log")] == []
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_static__every_file_is_in_the_script_or_the_style() -> None:
    folder = Path(static.__file__).parent
    files = [one for one in folder.iterdir() if one.suffix in (".js", ".css")]
    assert len(files) > 5
    for one in files:
        whole = static.SCRIPT if one.suffix == ".js" else static.STYLE
        assert whole.count(one.read_text(encoding="utf-8")) == 1, one.name


def test_static__loads_nothing() -> None:
    assert re.findall(r"@import|url\(|https?:", static.STYLE) == []
    loads = r"^\s*import\b|\bimport\(|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(|new Function"
    assert re.findall(loads, static.SCRIPT, re.MULTILINE) == []


def test_style__has_no_rule_for_what_is_not_ours() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", static.STYLE, flags=re.DOTALL)
    selectors = re.findall(r"([^{};]+)\{", sheet)
    assert len(selectors) > 100
    names = ("rn-", "@media", "@keyframes", "@supports", "@container", "from", "to", "%")
    assert [one for one in selectors if not any(name in one for name in names)] == []
