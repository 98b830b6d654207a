"""Checkpoints that survive a kill, a damaged file and another set of devices (orbax)."""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, PyTree

if TYPE_CHECKING:  # imported where it is used: it takes long
    import orbax.checkpoint


class Checkpoints:
    """The checkpoints of one run in a folder: written whole, newest good one read.

    Arrays are stored as plain host arrays, so that any number of devices can read them. Each
    checkpoint carries a digest of its content: a damaged one is moved to `damaged/` with a warning
    that says so, and the one before it is used.

    Arguments:
        folder: made when missing.
        keep: how many to keep.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Checkpoints(folder)
        ...     store.save(7, {"w": np.ones(3)}, {"note": "first"})
        ...     number, tree, facts = store.restore({"w": np.zeros(3)})
        >>> print(number, tree["w"], facts)
        7 [1. 1. 1.] {'note': 'first'}
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 3):
        self.folder = Path(folder).absolute()  # orbax insists
        self.keep = keep

    def _manager(self) -> "orbax.checkpoint.CheckpointManager":
        import orbax.checkpoint as ocp

        # Synchronous, as what `save` returns from must have been written. orbax writes to another
        # name and renames, so that a kill in the middle leaves no half of a checkpoint
        options = ocp.CheckpointManagerOptions(
            max_to_keep=self.keep, enable_async_checkpointing=False, create=True
        )
        return ocp.CheckpointManager(self.folder / "steps", options=options)

    def numbers(self) -> list[int]:
        """Of the finished checkpoints, newest first."""
        if not (self.folder / "steps").exists():
            return []
        with self._manager() as manager:
            return sorted(manager.all_steps(), reverse=True)

    def save(self, number: int, tree: PyTree, facts: Mapping[str, object]) -> None:
        """Write the arrays of `tree` and `facts` (JSON) as checkpoint `number`."""
        import orbax.checkpoint as ocp

        arrays = _numbered(tree)
        content = {"facts": facts, "digest": _digest(arrays, facts)}
        with self._manager() as manager:
            # Forced: what is saved is the caller's decision, and not one of orbax's intervals
            manager.save(
                number,
                args=ocp.args.Composite(
                    arrays=ocp.args.StandardSave(arrays), facts=ocp.args.JsonSave(content)
                ),
                force=True,
            )

    def restore(self, template: PyTree) -> tuple[int, PyTree, dict[str, Any]] | None:
        """(number, tree, facts) of the newest good checkpoint; None when there is none.

        Raises:
            ValueError: if it was written for a template of another structure or shape.
        """
        for number in self.numbers():
            try:
                arrays, facts = self._read(number)
            except Exception as error:  # noqa: BLE001 (orbax raises whatever the storage does)
                self._set_aside(number, error)
                continue
            return number, _filled(template, arrays, self.folder), facts
        return None

    def _read(self, number: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        import orbax.checkpoint as ocp

        with self._manager() as manager:
            # Facts first: the digest among them says which shapes to ask for, so that a checkpoint
            # can be read, and told to be another run's, without knowing whose it is
            content = manager.restore(
                number, args=ocp.args.Composite(facts=ocp.args.JsonRestore())
            )["facts"]
            template = {
                name: jax.ShapeDtypeStruct(shape, dtype)
                for name, (shape, dtype) in content["digest"]["arrays"].items()
            }
            # NumPy arrays in the template make orbax give NumPy arrays, whatever devices wrote them
            restore = jax.tree_util.tree_map(lambda x: np.zeros(x.shape, x.dtype), template)
            arrays = manager.restore(
                number, args=ocp.args.Composite(arrays=ocp.args.StandardRestore(restore))
            )["arrays"]
        arrays = {name: np.asarray(x) for name, x in arrays.items()}
        if _digest(arrays, content["facts"]) != content["digest"]:
            raise ValueError("its content does not match its digest")
        return arrays, content["facts"]

    def _set_aside(self, number: int, error: Exception) -> None:
        # Moved and not deleted, as somebody may want to look at it; by one process of several
        if jax.process_index() == 0:
            aside = self.folder / "damaged" / str(number)
            aside.parent.mkdir(exist_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            shutil.move(self.folder / "steps" / str(number), aside)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(
            f"checkpoint {number} in {self.folder} is damaged ({reason}); it was moved to "
            "damaged/ and the one before it is used",
            stacklevel=4,
        )


def _numbered(tree: PyTree) -> dict[str, np.ndarray]:
    """Leaves by number, keys as their data, on the host."""
    # The structure of the tree is not stored, since a restart has it in its template. Five digits,
    # so that the names sort in the order of the leaves
    leaves = jax.tree_util.tree_leaves(tree)
    return {f"{i:05d}": np.asarray(_plain(x)) for i, x in enumerate(leaves)}


def _plain(x: ArrayLike) -> ArrayLike:
    """A key as the numbers it wraps; anything else as it is."""
    return jax.random.key_data(x) if _is_key(x) else x


def _is_key(x: ArrayLike) -> bool:
    return isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)


def _filled(template: PyTree, arrays: dict[str, np.ndarray], folder: Path) -> PyTree:
    """The template with the arrays in place of its own."""
    leaves, structure = jax.tree_util.tree_flatten(template)
    wanted = [np.shape(_plain(x)) for x in leaves]
    found = [arrays[name].shape for name in sorted(arrays)]
    if wanted != found:
        raise ValueError(
            f"the checkpoints in {folder} were written for other parameters, another optimiser or "
            "another number of members; use the same or another folder"
        )

    def value(like: ArrayLike, x: np.ndarray) -> np.ndarray | Array:
        if not _is_key(like):
            return x
        # The numbers do not say which generator they are of; the key of the new run does
        return jax.random.wrap_key_data(jnp.asarray(x), impl=jax.random.key_impl(like))

    values = [value(like, x) for like, (_, x) in zip(leaves, sorted(arrays.items()), strict=True)]
    return jax.tree_util.tree_unflatten(structure, values)


def _digest(arrays: dict[str, np.ndarray], facts: Mapping[str, object]) -> dict[str, object]:
    """What tells content as it was written from a damaged file that can be read all the same."""
    sha = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        sha.update(np.ascontiguousarray(arrays[name]).tobytes())
    shapes = {name: [list(x.shape), x.dtype.name] for name, x in sorted(arrays.items())}
    return {"sha256": sha.hexdigest(), "arrays": shapes}
