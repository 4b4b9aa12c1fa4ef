"""`@cached(ttl=…, size=…)`: for any async function whose answer depends on its arguments alone."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar
from uuid import UUID

from caching.cache import NEAR_SECONDS, Cache
from caching.flushing import flush

P = ParamSpec("P")
T = TypeVar("T")


class Cached(Generic[P, T]):
    """The function, cached: call it as before. `cache` is what it keeps its answers in."""

    def __init__(
        self,
        function: Callable[P, Awaitable[T]],
        cache: Cache[T],
        key: Callable[P, Any] | None,
        scope: Callable[P, str | Iterable[str]] | None,
    ) -> None:
        wraps(function)(self)
        self.cache = cache
        self._function = function
        self._signature = inspect.signature(function)
        self._key = key
        self._scope = scope

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        scopes = () if self._scope is None else self._scope(*args, **kwargs)
        return await self.cache.fetch(
            self.key_of(*args, **kwargs),
            lambda: self._function(*args, **kwargs),
            (scopes,) if isinstance(scopes, str) else scopes,
        )

    def key_of(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """The same for equal arguments, however they are passed."""
        if self._key is not None:
            return self._key(*args, **kwargs)
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return canonical(bound.arguments)

    def flush(self, scope: str = "") -> bool:
        """Forget the answers of a scope, or all, in all processes. For threads; see `flush`."""
        return flush(self.cache.name, scope)


def cached(
    *,
    ttl: float,
    size: int = 1000,
    most_bytes: int = 8 * 1024 * 1024,
    stale: float = 0.0,
    near: float = NEAR_SECONDS,
    version: int = 1,
    name: str = "",
    key: Callable[P, Any] | None = None,
    scope: Callable[P, str | Iterable[str]] | None = None,
    pack: Callable[[T], Any] | None = None,
    unpack: Callable[[Any], T] | None = None,
) -> Callable[[Callable[P, Awaitable[T]]], Cached[P, T]]:
    """Keep what the function answers, as `Cache` says; `name` is the function's own otherwise.

    The key is made of all arguments, which then are JSON's types, bytes, UUIDs, dates and their
    collections; or `key` makes it of them. Whatever else the answer depends on, who asks above all,
    belongs into the arguments or into `key`. `scope` names what its answers can be flushed by.
    """

    def decorate(function: Callable[P, Awaitable[T]]) -> Cached[P, T]:
        cache: Cache[T] = Cache(
            name or f"{function.__module__}.{function.__qualname__}",
            ttl=ttl, size=size, most_bytes=most_bytes, stale=stale, near=near, version=version,
            pack=pack, unpack=unpack,
        )  # fmt: skip
        return Cached(function, cache, key, scope)

    return decorate


def canonical(value: Any) -> Any:
    """What can be packed, and is equal only for what is equal and of one type."""
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return value
        case UUID() | datetime() | date():
            return [type(value).__name__, str(value)]
        case dict():
            pairs = [[canonical(name), canonical(item)] for name, item in value.items()]
            return ["dict", sorted(pairs, key=repr)]
        case set() | frozenset():
            return ["set", sorted(map(canonical, value), key=repr)]
        case list() | tuple():
            return ["list", *map(canonical, value)]
    raise TypeError(f"{type(value).__name__} cannot be part of a cache's key: give it a `key`.")
