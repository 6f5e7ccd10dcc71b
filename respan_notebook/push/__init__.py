"""Push the scores of a frame to Respan, with a report per score."""
