"""The style sheet of the annotator; that of a log is beside what it styles."""

from __future__ import annotations

from typing import Final

from respan_notebook.labelling.log_view.log_css import LOG_CSS

_CSS: Final = """
.rn-annotator, .rn-editor {
  --rn-line: var(--jp-border-color2, #ccc); --rn-dim: var(--jp-ui-font-color2, #666);
  --rn-good: var(--jp-success-color1, #2e7d32); --rn-bad: var(--jp-error-color1, #c62828);
  --rn-warn: var(--jp-warn-color0, #b25600); --rn-accent: var(--jp-brand-color1, #1976d2);
  color: var(--jp-ui-font-color1, #222); }
.rn-annotator { border: 1px solid var(--rn-line); border-radius: 6px;
  padding: 8px; outline: none; position: relative; overflow: hidden; }
.rn-annotator:focus-within { border-color: var(--rn-accent); }
.rn-annotator .widget-html-content { line-height: 1.45; }
.rn-annotator .widget-html, .rn-annotator .widget-html-content { height: auto; min-width: 0; }
.rn-nav { flex-wrap: wrap; gap: 4px; overflow: visible; align-items: center; }
.rn-nav .jupyter-button { width: auto; padding: 0 10px; }
.rn-nav .widget-text { width: 150px; }
.rn-nav .widget-dropdown { width: 150px; }
.rn-nav .widget-label, .rn-editor .widget-label { position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); }
.rn-status { font-variant-numeric: tabular-nums; }
.rn-status .rn-say { min-height: 1.45em; color: var(--rn-dim); }
.rn-status .rn-wrong { color: var(--rn-bad); font-weight: 600; }
.rn-status .rn-trouble { color: var(--rn-warn); }
.rn-annotator[data-rn-wait]::after { content: attr(data-rn-wait); position: absolute; top: 8px;
  right: 12px; padding: 2px 8px; border-radius: 4px; color: #fff; background: var(--rn-warn); }
.rn-annotator[data-rn-busy] .rn-control, .rn-annotator[data-rn-busy] button,
.rn-annotator[data-rn-busy] .rn-nav { pointer-events: none; }
.rn-body { flex-wrap: wrap; gap: 12px; overflow: visible; align-items: flex-start; }
.rn-side { flex: 3 1 340px; min-width: 0; }
.rn-editors { flex: 2.4 1 340px; min-width: 0; max-height: 90vh; overflow: auto; gap: 6px; }
.rn-editor { flex: none; border: 1px solid var(--rn-line); border-left: 4px solid var(--rn-line);
  border-radius: 4px; padding: 4px 8px; overflow: visible; max-width: 100%; }
.rn-annotator:focus-within .rn-active { border-left-color: var(--rn-accent);
  box-shadow: 0 0 0 1px var(--rn-accent); }
.rn-editor .widget-inline-hbox { width: auto; }
.rn-editor .widget-toggle-buttons, .rn-editor .widget-radio { width: auto; height: auto; }
.rn-editor .widget-toggle-buttons .mod-active { background: var(--rn-accent); color: #fff; }
.rn-editor .widget-toggle-buttons button { width: auto; padding: 0 6px; }
.rn-editor .widget-radio-box { height: auto; }
.rn-editor .widget-radio-box label { height: auto; line-height: 1.6; }
.rn-editor .widget-checkbox { height: auto; margin: 0 2px; }
.rn-editor .widget-checkbox label { line-height: 1.6; }
.rn-editor .widget-box { overflow: visible; }
.rn-editor .rn-json textarea { font-family: var(--jp-code-font-family, monospace); }
.rn-title small { display: block; color: var(--rn-dim); }
.rn-title kbd { color: var(--rn-dim); font-size: 80%; border: 1px solid var(--rn-line);
  border-radius: 3px; padding: 0 3px; margin-left: 4px; }
.rn-bar { align-items: center; flex-wrap: wrap; overflow: visible; }
.rn-bar .widget-html { flex: 0 1 auto; margin-right: 8px; }
.rn-bar .rn-why { flex: 1 1 90px; min-width: 0; }
.rn-editor:has(.rn-unset) .rn-why:not(:focus-within) { opacity: 0; }
.rn-bar .jupyter-button { width: auto; height: 22px; line-height: 22px; padding: 0 8px;
  font-size: 85%; }
.rn-unset { color: var(--rn-dim); font-style: italic; }
.rn-set { color: var(--rn-good); font-weight: 600; }
.rn-invalid, .rn-bad { color: var(--rn-bad); font-weight: 600; overflow-wrap: anywhere; }
.rn-shown { color: var(--rn-accent); }
.rn-cleared { color: var(--rn-warn); }
.rn-editor:has(.rn-unset) .rn-control .slider-container,
.rn-editor:has(.rn-unset) .rn-control .widget-readout { opacity: .35; }
.rn-editor:has(.rn-unset) .rn-clear, .rn-editor:has(.rn-set) .rn-accept,
.rn-editor:has(.rn-invalid) .rn-accept, .rn-editor:has(.rn-cleared) .rn-clear,
.rn-editor:has(.rn-cleared) .rn-accept { display: none; }
.rn-editor:not(.rn-resting):has(.rn-unset) .rn-accept { display: none; }
.rn-why input { font-size: 90%; height: 24px; }
.rn-tree details, .rn-tree div { margin-left: 12px; }
.rn-tree { max-height: 200px; overflow: auto; font-size: 90%; }
.rn-help { color: var(--rn-dim); }
.rn-help td { padding: 0 10px 0 0; }
"""

STYLE: Final = f"<style>{_CSS}{LOG_CSS}</style>"
"""As the value of an ``HTML`` widget."""
