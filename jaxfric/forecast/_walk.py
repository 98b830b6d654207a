"""The walk along a friction record that finds its drops, sample by sample."""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array


class Rule(NamedTuple):
    """Which drops count as events."""

    least: Array  # smallest drop
    fastest: Array  # fall from one sample to the next that an event has at least once; 0: any
    pause: Array  # samples from the last start to the next


class Walk(eqx.Module):
    """The highest sample since the last event and, once friction falls, the lowest since."""

    falling: Array
    top: Array  # index of the highest sample
    top_value: Array
    bottom: Array  # index of the lowest sample
    bottom_value: Array
    steepest: Array  # step since the top
    slip: Array  # steepest step between top and bottom
    last: Array  # start of the last event that counted; −1 before the first
    previous: Array  # friction of the sample before

    def event(self, happens: Array, rule: Rule, n: int) -> tuple[Array, Array, Array]:
        """Start and end of an event that is over now, n if none is; start of the last one."""
        # A top at the first sample is an event that began before the record. Without a rate
        # `fastest` is zero and every fall is fast enough.
        counts = happens & (self.top > 0) & (-self.slip >= rule.fastest)
        apart = (self.top - self.last).astype(self.top_value.dtype)
        counts &= (self.last < 0) | (apart >= rule.pause)
        return (
            jnp.where(counts, self.top, n),
            jnp.where(counts, self.bottom, n),
            jnp.where(counts, self.top, self.last),
        )

    def advance(self, i: Array, value: Array, rule: Rule, n: int) -> tuple["Walk", Array, Array]:
        """The walk one sample on; start and end of an event that this sample ends, else n."""
        # Risen from the bottom by more than the threshold: the event is over, and is told now.
        rises = self.falling & (value - self.bottom_value > rule.least)
        start, end, last = self.event(rises, rule, n)
        # At or above the top, or risen out of the last event: a new top. Of equal ones the last
        # counts, as friction begins to drop there.
        top = rises | (~self.falling & (value >= self.top_value))
        step = jnp.minimum(self.steepest, value - self.previous)
        steepest = jnp.where(top, jnp.zeros((), value.dtype), step)
        begins = ~self.falling & ~top & (self.top_value - value > rule.least)
        bottom = begins | (self.falling & ~rises & (value <= self.bottom_value))
        following = Walk(
            falling=(self.falling & ~rises) | begins,
            top=jnp.where(top, i, self.top),
            top_value=jnp.where(top, value, self.top_value),
            bottom=jnp.where(bottom, i, self.bottom),
            bottom_value=jnp.where(bottom, value, self.bottom_value),
            steepest=steepest,
            slip=jnp.where(bottom, steepest, self.slip),
            last=last,
            previous=value,
        )
        return following, start, end


def walk_along(x: Array, rule: Rule, inside: Array) -> tuple[Array, Array]:
    """Indices of starts and ends, one place a sample and one more; n where there is none."""
    n = x.shape[0]

    def advance(walk: Walk, sample: tuple[Array, ...]) -> tuple[Walk, tuple[Array, Array]]:
        i, value, here = sample
        following, start, end = walk.advance(i, value, rule, n)
        # Beyond the record's length the walk stands still and tells no event.
        following = jax.tree_util.tree_map(partial(jnp.where, here), following, walk)
        return following, (jnp.where(here, start, n), jnp.where(here, end, n))

    index = jnp.arange(n)
    zero, none = jnp.zeros((), x.dtype), jnp.full((), -1, index.dtype)
    begin = Walk(
        falling=jnp.array(False),
        top=index[0],
        top_value=x[0],
        bottom=index[0],
        bottom_value=x[0],
        steepest=zero,
        slip=zero,
        last=none,
        previous=x[0],
    )
    walk, (starts, ends) = lax.scan(advance, begin, (index, x, inside))
    # An event that is under way at the last sample ends there.
    start, end, _ = walk.event(walk.falling, rule, n)
    return jnp.append(starts, start), jnp.append(ends, end)
