"""The style sheet of a log."""

from __future__ import annotations

from typing import Final

LOG_CSS: Final = """
.rn-log {
  --rn-text: var(--jp-ui-font-color1, #222);
  --rn-muted: var(--jp-ui-font-color2, #5c5c5c);
  --rn-page: var(--jp-layout-color1, #fff);
  --rn-sunken: color-mix(in srgb, var(--rn-text) 6%, var(--rn-page));
  --rn-rule: var(--jp-border-color2, #d4d4d4);
  --rn-link: var(--jp-content-link-color, #0b5cad);
  --rn-mono: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace);
  box-sizing: border-box;
  width: 100%;
  min-width: 0;
  max-width: 64rem;
  overflow: hidden;
  isolation: isolate;
  color: var(--rn-text);
  background: transparent;
  font: 14px/1.5 var(--jp-content-font-family, system-ui, sans-serif);
  overflow-wrap: anywhere;
}
.rn-log *, .rn-log *::before { box-sizing: border-box; }
.rn-log :where(p, ul, ol, dl, dd, table, blockquote, pre, h4, h5, h6) {
  margin: 0;
  padding: 0;
  border: 0;
}
.rn-log > * + * { margin-top: 10px; }

.rn-log .rn-alert {
  padding: 8px 12px;
  border: 1px solid var(--jp-error-color1, #c62828);
  border-left-width: 4px;
  border-radius: 4px;
}

.rn-log .rn-message {
  --rn-role: var(--rn-muted);
  padding: 6px 12px 8px;
  border-left: 3px solid var(--rn-role);
  border-radius: 3px;
}
.rn-log .rn-user { --rn-role: var(--jp-brand-color1, #1976d2); background: var(--rn-sunken); }
.rn-log .rn-assistant { --rn-role: var(--jp-success-color1, #388e3c); }
.rn-log .rn-tool { --rn-role: var(--jp-warn-color1, #f57c00); }
.rn-log .rn-system { border-left-style: dotted; }
.rn-log .rn-role, .rn-log .rn-name {
  margin-bottom: 2px;
  color: var(--rn-muted);
  font: 600 12px/1.6 var(--jp-ui-font-family, system-ui, sans-serif);
}
.rn-log small { font-size: 11px; font-weight: 400; font-family: var(--rn-mono); }
.rn-log .rn-label { color: var(--rn-muted); font-size: 12px; }

.rn-log .rn-text { overflow-x: auto; }
.rn-log .rn-text > * + *, .rn-log .rn-message > * + .rn-text, .rn-log .rn-start > * + *,
.rn-log details > summary ~ *, .rn-log .rn-message > details, .rn-log .rn-call,
.rn-log .rn-message > .rn-media { margin-top: 8px; }
.rn-log .rn-message > .rn-role + *, .rn-log .rn-label + .rn-text { margin-top: 2px; }
.rn-log .rn-text :is(p, li, h5, h6, th, td, pre) { unicode-bidi: plaintext; text-align: start; }
.rn-log :is(h5, h6) { color: inherit; font-size: 16px; font-weight: 600; line-height: 1.4; }
.rn-log h6 { font-size: 14px; }
.rn-log :is(ul, ol) { padding-inline-start: 24px; }
.rn-log li > * + * { margin-top: 4px; }
.rn-log blockquote {
  padding-inline-start: 10px;
  border-inline-start: 3px solid var(--rn-rule);
  color: var(--rn-muted);
}
.rn-log hr { height: 0; margin: 12px 0; border: 0; border-top: 1px solid var(--rn-rule); }
.rn-log a { color: var(--rn-link); text-decoration: underline; }
.rn-log code {
  padding: 1px 4px;
  border: 0;
  border-radius: 3px;
  color: inherit;
  background: var(--rn-sunken);
  font: 12.5px/1.5 var(--rn-mono);
  white-space: pre-wrap;
}
.rn-log pre {
  padding: 8px 10px;
  border: 1px solid var(--rn-rule);
  border-radius: 4px;
  color: inherit;
  background: var(--rn-sunken);
  line-height: 1.5;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
  tab-size: 4;
}
.rn-log .rn-user code { background: var(--rn-page); }
.rn-log pre > code, .rn-log .rn-user pre > code { padding: 0; background: none; }
.rn-log .rn-user pre { background: var(--rn-page); }

.rn-log table { border-collapse: collapse; color: inherit; font-size: 13px; table-layout: auto; }
.rn-log .rn-text table { display: block; max-width: 100%; overflow-x: auto; }
.rn-log :is(th, td) {
  max-width: none;
  padding: 4px 10px;
  border: 1px solid var(--rn-rule);
  background: none;
  text-align: start;
  vertical-align: top;
  white-space: normal;
  overflow-wrap: break-word;
}
.rn-log .rn-text .rn-right { text-align: end; }
.rn-log .rn-text .rn-center { text-align: center; }

.rn-log .rn-facts {
  display: flex;
  flex-wrap: wrap;
  gap: 2px 16px;
  padding-top: 8px;
  border-top: 1px solid var(--rn-rule);
  font-size: 12px;
}
.rn-log .rn-facts > div { display: flex; gap: 5px; }
.rn-log .rn-facts dt { color: var(--rn-muted); font-weight: 400; white-space: nowrap; }
.rn-log .rn-facts dd { min-width: 0; }
.rn-log .rn-facts :is(dt, dd) { float: none; width: auto; padding: 0; }
.rn-log .rn-fields { width: auto; max-width: 100%; font-size: 12px; }
.rn-log .rn-fields :is(th, td) { padding: 2px 0; border: 0; }
.rn-log .rn-fields td { overflow-wrap: anywhere; }
.rn-log .rn-fields th {
  min-width: 90px;
  max-width: 180px;
  overflow-wrap: anywhere;
  padding-inline-end: 16px;
  color: var(--rn-muted);
  font-weight: 400;
}
.rn-log .rn-fields tr { background: none; }

.rn-log summary { width: fit-content; color: var(--rn-link); font-size: 12px; cursor: pointer; }
.rn-log summary:focus-visible, .rn-log a:focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2);
  outline-offset: 2px;
}
.rn-log details:not([open]) > summary > .rn-open,
.rn-log details[open] > summary > .rn-shut { display: none; }
.rn-log .rn-fold:has(> details[open]) > .rn-start { display: none; }
.rn-log .rn-start { -webkit-mask: linear-gradient(#000 calc(100% - 40px), #0004); }
.rn-log .rn-start { mask: linear-gradient(#000 calc(100% - 40px), #0004); }
.rn-log .rn-note { color: var(--rn-muted); font-size: 12px; font-style: italic; }
.rn-log .rn-media { color: var(--rn-muted); font-size: 13px; }
"""
"""Style sheet for :func:`respan_notebook.labelling.log_view.log.log_html`.

Everything in it is below ``.rn-log``. Colours are those of JupyterLab's theme, light or dark.
"""
