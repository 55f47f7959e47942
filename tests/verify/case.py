"""What a proof is made of."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """Literals of the source type; None is NULL. `beyond` are bad ones that the engine stores
    as they are although its type does not promise to."""

    source: str
    target: str
    good: tuple[str | None, ...]
    bad: tuple[str | None, ...] = ()
    setup: tuple[str, ...] = field(default=(), repr=False)
    beyond: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.source}->{self.target}"
