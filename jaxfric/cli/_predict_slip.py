"""`jaxfric predict-slip`: the friction of a fault from a file of its acoustic emission."""

from pathlib import Path
from typing import TYPE_CHECKING

from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import publish
from jaxfric.cli._naming import columns_of, units_of

if TYPE_CHECKING:
    from jaxfric.studies.fault_slip import Prediction


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
    painter: Painter | None = None,
) -> "Prediction":
    """Predict, print the yardsticks beside it, write table, CSV and figure."""
    from jaxfric import records
    from jaxfric.plotting._slip_prediction import slip_curves
    from jaxfric.studies import fault_slip

    record = records.read_labquake(
        file, normal_stress=normal_stress, columns=columns_of(columns),
        units=units_of(units),
    )  # fmt: skip
    found = fault_slip.predict_slip(record, tune=tune, part=part, method=method)
    figure = (painter or Painter(apart=False)).draw(
        "jaxfric.plotting._slip_prediction", "draw_slip_prediction", slip_curves(found, record)
    )
    text = f"{record}\n\n{found}"
    print(text)
    head = "time_s,predicted,standard_deviation,time_to_failure_s,measured,test"
    # Digits beyond what the numbers are known to: the files are to be plotted, not to be compared
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
            "prediction.png": figure,
        },
    )
    print(f"\nIn {out.resolve()}: {', '.join(f.name for f in files)}")
    return found
