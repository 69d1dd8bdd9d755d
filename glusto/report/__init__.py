"""The HTML report: one self-contained file, made from the events of a run."""

from glusto.report.page import EVENTS, find_events, page_for, point_at, write_page

__all__ = ["EVENTS", "find_events", "page_for", "point_at", "write_page"]
