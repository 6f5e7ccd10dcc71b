"""Draw the annotator and its editors as Jupyter widgets."""
