"""An evaluation as people and programs see it: a table, a JSON document, a page."""
