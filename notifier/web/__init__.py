"""The door for others' programs: what the marketplace posts comes in here."""

from notifier.web.webhook import create_app
from notifier.web.server import serving

__all__ = ["create_app", "serving"]
