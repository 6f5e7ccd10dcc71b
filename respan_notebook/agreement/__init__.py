"""Measure the agreement of annotators and LLM judges."""
