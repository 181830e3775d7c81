"""Web: the dashboard, pages for people over the functions of the service. It needs the extra ``dashboard``."""

from .mount import PATH, mount

__all__ = ["PATH", "mount"]
