"""`jaxfric predict-slip`: the friction of a fault from a file of its acoustic emission."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jaxfric.cli._files import load_figures, publish


def run_predict(
    file: Path,
    out: Path,
    *,
    normal_stress: float | None = None,
    tune: int = 0,
    part: str = "all",
    method: str = "sequence",
    columns: list[str] | None = None,
    units: list[str] | None = None,
) -> Any:
    """Predict, print the yardsticks beside it, write table, CSV and figure."""
    from jaxfric import plotting, records
    from jaxfric.studies import fault_slip

    record = records.read_labquake(
        file, normal_stress=normal_stress, columns=_pairs("--column", columns),
        units=_pairs("--unit", units),
    )  # fmt: skip
    with ThreadPoolExecutor(1) as threads:
        threads.submit(load_figures)
        found = fault_slip.predict_slip(record, tune=tune, part=part, method=method)
    text = f"{record}\n\n{found}"
    print(text)
    head = "time_s,predicted,standard_deviation,time_to_failure_s,measured,test"
    rows = [head]
    for k in range(found.time.size):
        measured = "" if found.measured is None else f"{found.measured[k]:.7g}"
        rows.append(
            f"{found.time[k]:.10g},{found.predicted[k]:.7g},{found.band[k]:.4g},"
            f"{found.time_to_failure[k]:.5g},{measured},{int(found.test[k])}"
        )
    files = publish(
        out,
        {
            "prediction.csv": "\n".join(rows) + "\n",
            "prediction.txt": text + "\n",
            "prediction.png": plotting.plot_slip_prediction(found, record),
        },
    )
    print(f"\nIn {out.resolve()}: {', '.join(f.name for f in files)}")
    return found


def _pairs(option: str, given: list[str] | None) -> Any:
    """quantity=name, several times; a quantity that is named twice has several columns."""
    if not given:
        return None
    found: dict[str, Any] = {}
    for pair in given:
        quantity, equals, name = pair.partition("=")
        if not equals or not name:
            raise ValueError(
                f"{option} takes quantity=name, such as emission=Var_Ch1; got {pair!r}"
            )
        value: Any = int(name) if name.isdigit() else name
        if quantity in found:
            before = found[quantity]
            found[quantity] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[quantity] = value
    return found
