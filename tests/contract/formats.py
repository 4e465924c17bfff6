"""What schemathesis is told beside the document, by SCHEMATHESIS_HOOKS: texts of the formats that are the contract's own, and
how numbers are written."""

import json

import schemathesis
from hypothesis import strategies as st

# Within the largest archive.
places = st.integers(0, 40_000 * 2**30 - 1)
schemathesis.openapi.format("byte-range", st.tuples(places, places).map(lambda pair: f"{min(pair)}-{max(pair)}"))
members = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers() | st.none(), max_size=4)
schemathesis.openapi.format("json-object", members.map(json.dumps))
seconds = st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z")
schemathesis.openapi.format("date-time", seconds)
label = st.from_regex(r"[a-z][a-z0-9]{2,20}", fullmatch=True)
schemathesis.openapi.format("bucket-name", st.lists(label, min_size=1, max_size=2).map(".".join))
segments = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="./"), min_size=1, max_size=20)
schemathesis.openapi.format("object-key", st.lists(segments, min_size=1, max_size=3).map("/".join))
schemathesis.openapi.format("key-prefix", st.lists(segments, max_size=3).map("/".join))


def written_whole(value):
    """To JSON Schema 1.0 is an integer; the contract writes integers without a fraction."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: written_whole(item) for name, item in value.items()}
    return [written_whole(item) for item in value] if isinstance(value, list) else value


@schemathesis.hook
def map_body(_context, body):
    return written_whole(body)
