"""Measure how far annotators and LLM judges agree."""
