"""The store: run ledger, snapshots, outbox, alarms, audit trail. docs/store.md is for operators.

`open_store` opens it and yields a `Store`, through which all other access goes.
"""

from notifier.store.alarms import AuditEntry
from notifier.store.order_states import AccountState
from notifier.store.outbox import Claim
from notifier.store.store import Store, open_store, ownership

__all__ = ["AccountState", "AuditEntry", "Claim", "Store", "open_store", "ownership"]
