"""Checkpoints that survive a kill, a damaged file and another set of devices (orbax)."""

import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree


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
        ...     step, tree, facts = store.restore({"w": np.zeros(3)})
        >>> print(step, tree["w"], facts)
        7 [1. 1. 1.] {'note': 'first'}
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 3):
        self.folder = Path(folder).absolute()  # orbax insists
        self.keep = keep

    def _manager(self) -> Any:
        import orbax.checkpoint as ocp

        options = ocp.CheckpointManagerOptions(
            max_to_keep=self.keep, enable_async_checkpointing=False, create=True
        )
        return ocp.CheckpointManager(self.folder / "steps", options=options)

    def steps(self) -> list[int]:
        """Steps with a finished checkpoint, newest first."""
        if not (self.folder / "steps").exists():
            return []
        with self._manager() as manager:
            return sorted(manager.all_steps(), reverse=True)

    def save(self, step: int, tree: PyTree, facts: dict[str, Any]) -> None:
        """Write the arrays of `tree` and `facts` (JSON) as checkpoint number `step`."""
        import orbax.checkpoint as ocp

        arrays = _numbered(tree)
        content = {"facts": facts, "digest": _digest(arrays, facts)}
        with self._manager() as manager:
            manager.save(
                step,
                args=ocp.args.Composite(
                    arrays=ocp.args.StandardSave(arrays), facts=ocp.args.JsonSave(content)
                ),
                force=True,
            )

    def restore(self, template: PyTree) -> tuple[int, PyTree, dict[str, Any]] | None:
        """(step, tree, facts) of the newest good checkpoint; None when there is none.

        Raises:
            ValueError: if it was written for a template of another structure or shape.
        """
        for step in self.steps():
            try:
                arrays, facts = self._read(step)
            except Exception as error:  # noqa: BLE001 (orbax raises whatever the storage does)
                self._set_aside(step, error)
                continue
            return step, _filled(template, arrays, self.folder), facts
        return None

    def _read(self, step: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        import orbax.checkpoint as ocp

        with self._manager() as manager:
            content = manager.restore(step, args=ocp.args.Composite(facts=ocp.args.JsonRestore()))[
                "facts"
            ]
            template = {
                name: jax.ShapeDtypeStruct(shape, dtype)
                for name, (shape, dtype) in content["digest"]["arrays"].items()
            }
            restore = jax.tree_util.tree_map(lambda x: np.zeros(x.shape, x.dtype), template)
            arrays = manager.restore(
                step, args=ocp.args.Composite(arrays=ocp.args.StandardRestore(restore))
            )["arrays"]
        arrays = {name: np.asarray(x) for name, x in arrays.items()}
        if _digest(arrays, content["facts"]) != content["digest"]:
            raise ValueError("its content does not match its digest")
        return arrays, content["facts"]

    def _set_aside(self, step: int, error: Exception) -> None:
        if jax.process_index() == 0:
            aside = self.folder / "damaged" / str(step)
            aside.parent.mkdir(exist_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            shutil.move(self.folder / "steps" / str(step), aside)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(
            f"checkpoint {step} in {self.folder} is damaged ({reason}); it was moved to "
            "damaged/ and the one before it is used",
            stacklevel=4,
        )


def _numbered(tree: PyTree) -> dict[str, np.ndarray]:
    """Leaves by number, keys as their data, on the host."""
    leaves = jax.tree_util.tree_leaves(tree)
    return {f"{i:05d}": np.asarray(_plain(x)) for i, x in enumerate(leaves)}


def _plain(x: Any) -> Any:
    return jax.random.key_data(x) if _is_key(x) else x


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)


def _filled(template: PyTree, arrays: dict[str, np.ndarray], folder: Path) -> PyTree:
    leaves, structure = jax.tree_util.tree_flatten(template)
    wanted = [np.shape(_plain(x)) for x in leaves]
    found = [arrays[name].shape for name in sorted(arrays)]
    if wanted != found:
        raise ValueError(
            f"the checkpoints in {folder} were written for other parameters, another optimiser or "
            "another number of members; use the same or another folder"
        )

    def value(like: Any, x: np.ndarray) -> Any:
        if not _is_key(like):
            return x
        return jax.random.wrap_key_data(jnp.asarray(x), impl=jax.random.key_impl(like))

    values = [value(like, x) for like, (_, x) in zip(leaves, sorted(arrays.items()), strict=True)]
    return jax.tree_util.tree_unflatten(structure, values)


def _digest(arrays: dict[str, np.ndarray], facts: dict[str, Any]) -> dict[str, Any]:
    sha = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        sha.update(np.ascontiguousarray(arrays[name]).tobytes())
    shapes = {name: [list(x.shape), x.dtype.name] for name, x in sorted(arrays.items())}
    return {"sha256": sha.hexdigest(), "arrays": shapes}
