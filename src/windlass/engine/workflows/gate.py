"""What an operator lets a tenant's groups do: how many windows at once, and what stands still."""

from windlass.engine.payloads import TenantOrders
from windlass.engine.workflows.slots import Slots


class Gate:
    """The tenant's slots, and which of its groups are paused. `turn` counts the
    orders."""

    def __init__(self) -> None:
        self.slots = Slots(0)
        self.paused = False
        self.held: frozenset[str] = frozenset()
        self.turn = 0

    def obey(self, orders: TenantOrders) -> None:
        """From now on."""
        self.turn += 1
        self.paused, self.held = orders.paused, frozenset(orders.held)
        self.slots.set(orders.windows)

    def closed(self, group: str) -> bool:
        """Whether the group stands still: what is in flight ends, nothing of it begins."""
        return self.paused or group in self.held
