"""The store: run ledger, snapshots, outbox, audit. `docs/store.md` tells operators about it.

Open it with `open_store`; everything else hangs on what that gives.
"""

from notifier.store.audit import Audit, AuditEntry
from notifier.store.order_states import AccountState
from notifier.store.outbox import Claim, Outbox
from notifier.store.runs import Runs
from notifier.store.store import Ownership, Store, open_store, ownership

__all__ = [
    "AccountState",
    "Audit",
    "AuditEntry",
    "Claim",
    "Outbox",
    "Ownership",
    "Runs",
    "Store",
    "open_store",
    "ownership",
]
