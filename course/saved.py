"""Nouns out of saved JSON: `read(BuildTrace, data)`, so that a picture of yesterday's build needs no engine.

Enters: what `json.loads` gives of a noun's own `to_json`. Leaves: the noun. Pure; imports no other room.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read(kind: type[T], data: Any) -> T:
    """Build a frozen dataclass, and all that is in it, from plain data; what has a default may be missing.

    Raises `ValueError`, which names the place, when the data are something else.
    """
    found: T = _read(kind, data, kind.__name__)
    return found


def _read(kind: Any, data: Any, where: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        return (
            None if data is None else _read(next(one for one in get_args(kind) if one is not type(None)), data, where)
        )
    if get_origin(kind) is tuple:
        if not isinstance(data, list | tuple):
            raise ValueError(f"{where} is no list")
        return tuple(_read(get_args(kind)[0], one, f"{where}[{number}]") for number, one in enumerate(data))
    if is_dataclass(kind):
        return _noun(kind, data, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is float and isinstance(data, int):
        return float(data)
    if not isinstance(data, kind):
        raise ValueError(f"{where} is no {kind.__name__}: {data!r}")
    return data


def _noun(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise ValueError(f"{where} is no object")
    hints = get_type_hints(kind)
    given = {}
    for field in fields(kind):
        if field.name in data:
            given[field.name] = _read(hints[field.name], data[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{where} has no {field.name}")
    return kind(**given)
