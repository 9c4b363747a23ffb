"""The store: run ledger, snapshots, outbox, alarms, audit trail. docs/store.md is for operators.

`open_store` opens it; all other access goes through the `Store` that it returns.
"""

from notifier.store.alarms import Audit, AuditEntry
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
