"""The store: run ledger, snapshots, outbox, audit. `docs/store.md` tells operators about it.

Open it with `open_store`; everything else hangs on what that gives.
"""

from notifier.store.audit import Audit, AuditEntry
from notifier.store.outbox import Outbox
from notifier.store.runs import Runs
from notifier.store.store import Store, open_store

__all__ = ["Audit", "AuditEntry", "Outbox", "Runs", "Store", "open_store"]
