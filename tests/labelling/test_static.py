"""Test the style sheets."""

from __future__ import annotations

import re

from respan_notebook.labelling.static import read_static


def test_log_css__touches_nothing_but_logs() -> None:
    sheet = read_static("log.css")
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", sheet)
    selectors = [part for rule in rules for part in re.split(r",(?![^(]*\))", rule)]
    assert len(selectors) > 50
    assert [one for one in selectors if not one.strip().startswith(".rn-log")] == []
    assert "url(" not in sheet
    assert "@import" not in sheet
