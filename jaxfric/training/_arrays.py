"""Small pytrees of arrays in one file."""

import io
import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from jaxfric._files import written_whole


def save_arrays(path: str | os.PathLike[str], tree: PyTree, **facts: object) -> Path:
    """Write the arrays of a pytree, and facts about them, to one compressed file.

    Arguments:
        path: where to, `.npz`; written whole to a temporary name and moved.
        tree: any pytree of arrays, such as a network.
        **facts: anything JSON can hold.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = save_arrays(f"{folder}/x.npz", {"w": jnp.ones(3)}, trained_on="aging")
        ...     tree, facts = load_arrays(path, {"w": jnp.zeros(3)})
        >>> print(tree["w"], facts)
        [1. 1. 1.] {'trained_on': 'aging'}
    """
    path = Path(path)
    # Under the path of each leaf, such as .encoder.weights[0].value: numpy alone can read a file,
    # and one of another network is told by its names
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    arrays = {jax.tree_util.keystr(where): np.asarray(x) for where, x in leaves}
    arrays["__facts__"] = np.asarray(json.dumps(facts))
    with written_whole(path) as part, part.open("wb") as file:
        # The stub of numpy takes what is unpacked for its option allow_pickle, too
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub: see above
    return path


def load_arrays(
    path: str | os.PathLike[str] | io.BufferedIOBase, template: PyTree
) -> tuple[PyTree, dict[str, Any]]:
    """Read what `save_arrays` wrote into the shape of a template.

    Arguments:
        path: a path or an open binary file.
        template: a pytree of the same structure and shapes; its dtypes are kept.

    Returns:
        (tree, facts).

    Raises:
        ValueError: if structure or shapes differ.
    """
    # Without pickles: a file from elsewhere can hold numbers, and no code that reading would run
    with np.load(path, allow_pickle=False) as file:
        facts = json.loads(str(file["__facts__"]))
        leaves, structure = jax.tree_util.tree_flatten_with_path(template)
        names = [jax.tree_util.keystr(where) for where, _ in leaves]
        odd = set(names) ^ (set(file.files) - {"__facts__"})
        if odd:
            raise ValueError(f"{path} was written for another template; they differ in {min(odd)}")
        found = []
        for name, (_, like) in zip(names, leaves, strict=True):
            if file[name].shape != np.shape(like):
                raise ValueError(
                    f"{name} has shape {file[name].shape} in {path} and {np.shape(like)} in the "
                    "template: build the template with the sizes that were saved"
                )
            # In the template's precision: what was trained in float32 serves float64 physics
            found.append(jnp.asarray(file[name], jnp.result_type(like)))
    return jax.tree_util.tree_unflatten(structure, found), facts
