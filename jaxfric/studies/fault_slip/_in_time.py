"""The paper's own test: one long simulation of grains, split in time."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._ask import ask_images, ask_sequence
from jaxfric.studies.fault_slip._data import Records
from jaxfric.studies.fault_slip._gouge_records import BEFORE, gouge_records, samples_between_slips
from jaxfric.studies.fault_slip._gouge_runs import kept_gouge
from jaxfric.studies.fault_slip._laboratory import simulated_laboratory
from jaxfric.studies.fault_slip._rows import Row, rows_of, yardsticks
from jaxfric.studies.fault_slip._summary import IN_TIME
from jaxfric.studies.fault_slip._trained import TRAIN, VALIDATE, Trained

CYCLE = 10.0  # s, as of p4581
SEED = 3  # of the instruments; those of the layers' three parts come before it
COPIES = 24  # of the one record, for a batch of random windows of it


def long_record() -> Records:
    """The long layer at a clock of ten seconds a cycle, as long as it goes."""
    runs = kept_gouge(long=True)
    between = samples_between_slips(np.asarray(runs.friction[0], float))
    seconds = np.floor((runs.friction.shape[1] - 2) / between * CYCLE - BEFORE)
    return gouge_records(
        runs, SEED, clocks=1, seconds=float(seconds), recurrence=(CYCLE, CYCLE * 1.0001)
    )


def before(record: Records, end: int) -> Records:
    """Copies of the first samples of a record, to learn from."""
    cut: Records = jax.tree_util.tree_map(
        lambda x: jnp.repeat(x if x.ndim == 1 else x[..., :end], COPIES, 0), record
    )
    return cut


def in_time(trained: Trained) -> list[Row]:
    """Networks that learnt the first 60 % of a layer's record, asked about its last 20 %.

    Mean and spread of the record are given, as in the paper; constant, clocks and ridge learn from
    the same 60 %.
    """
    record = long_record()
    m = record.friction.shape[-1]
    trained.train_in_time(before(record, int(TRAIN * m)))
    lab = simulated_laboratory(
        "one layer of grains", np.exp(np.asarray(record.log_energy[0, 0], np.float64)),
        record.friction[0, 0],
    )  # fmt: skip
    test = np.arange(m) >= int(VALIDATE * m)
    cycles = int(np.sum(lab.starts < int(TRAIN * m))) - 1
    rows: list[Row] = []
    for kind, ask, network in (
        ("sequence", ask_sequence, trained.sequence_in_time()),
        ("encoder-decoder", ask_images, trained.images_in_time()),
    ):
        method = Method(kind, "none", "given", control=IN_TIME)
        rows += rows_of(ask(network, lab, 0, "none", given=True), lab, test, method, 0)
    return rows + yardsticks(lab, cycles, test)
