"""The door for others' programs: what the marketplace posts comes in here."""

from notifier.web.server import serving
from notifier.web.webhook import create_app

__all__ = ["create_app", "serving"]
