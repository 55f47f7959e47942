"""One-dimensional arrays, element by element through the table of scalars."""

from dataclasses import replace

from windlass.verify.passage import AS_TEXT, Hazard, Passage, or_text

# PostgreSQL does not keep dimensions in the type: int[][] and int[] are one type, and the driver
# flattens. What has more than one dimension is found value by value.
FLAT = Hazard(
    "array_ndims({c}) > 1", "an array of more than one dimension, which would be flattened"
)
NO_ARRAY = Hazard(
    "{c} is not distinct from null", "NULL, which Array cannot hold (it would become empty)"
)


def array_passage(element: Passage, family: str, *, nullable: bool) -> Passage:
    """An array's passage from its elements'; `nullable`: the target's elements may be NULL."""
    if (
        family in {"uuid", "json"} and element.read == "{c}"
    ):  # inside a list, the driver's extension types stay on
        arrow = "{c}" if family == "uuid" else element.arrow
        element = replace(element, read=AS_TEXT, arrow=arrow)
    return Passage(
        read=_read(element),
        source=or_text(_source(element.source), (FLAT,)),
        target=_joined(element.target, nullable=nullable),
        arrow=_joined(element.arrow, nullable=True),
        hazards=(FLAT, *_element_hazards(element, nullable)),
    )


def _read(element: Passage) -> str:
    if element.read == "{c}":
        return "({c})[:]"  # counts from 1: no driver reads every other lower bound
    if element.read == AS_TEXT:
        return "({c})::text[]"
    return (
        f"case when {{c}} is not null then array(select {_of(element.read)}"
        " from unnest({c}) with ordinality u(e, i) order by i) end"
    )


def _of(template: str, element: str = "u.e") -> str:
    return template.replace("{c}", element)


def _source(text: str) -> str:
    if text == AS_TEXT:
        return "'['||array_to_string({c},',','N')||']'"
    return (
        f"'['||array_to_string(case when {{c}} is not null then array(select {_of(text)}"
        " from unnest({c}) with ordinality u(e, i) order by i) end,',','N')||']'"
    )


def _joined(text: str, *, nullable: bool) -> str:
    one = _of(text, "assumeNotNull(e)" if nullable else "e")
    body = f"if(isNull(e),'N',{one})" if nullable else one
    return f"concat('[',arrayStringConcat(arrayMap(e->{body},{{c}}),','),']')"


def _element_hazards(element: Passage, nullable: bool) -> tuple[Hazard, ...]:
    found = [_any(_of(hazard.sql), f"an element {hazard.reason}") for hazard in element.hazards]
    if not nullable:
        found.append(
            _any(
                "u.e is not distinct from null",
                "a NULL element, which the column's elements cannot be",
            )
        )
    return tuple(found)


def _any(sql: str, reason: str) -> Hazard:
    return Hazard(f"exists(select from unnest({{c}}) u(e) where {sql})", reason)
