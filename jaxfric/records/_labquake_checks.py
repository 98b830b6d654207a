"""What makes columns of numbers a stick-slip record."""

from collections.abc import Mapping

import numpy as np

from jaxfric.records._arrays import Values, as_column, read_only
from jaxfric.records._rows import listed
from jaxfric.records._velocity_step_checks import DURATION

# Fewer point to a file that was cut off: a record of repeated failures is far longer.
MIN_SAMPLES = 8
# Of a time step. Five times what the reader leaves as it is, so that a record that it has just read
# is never refused here.
UNEVEN = 0.05

# Plausible values in SI, compared with the median, which a few spikes do not move. They are wide on
# purpose: their task is to catch a unit that is wrong by 1e3 or 1e6. Friction is held to a narrower
# range than in a velocity step, as the reader of stick-slip files assumes units that no name
# states, and this is what catches a wrong guess.
FRICTION = (0.05, 1.5)
NORMAL_STRESS = (1e3, 1e11)  # Pa
SHEAR_STRESS = (1e2, 1e11)  # Pa
_LIKELY_NORMAL = (1e5, 1e9)  # Pa, of a laboratory fault
# The friction for which a message calls the normal stress beside a shear stress usual.
_USUAL_FRICTION = (0.3, 0.8)
_UNITS = {"Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "GPa": 1e9}
_ESCAPE = "If the numbers are right, pass check_ranges=False"


def check_labquake(
    given: Mapping[str, Values | None], source: str, *, check_ranges: bool
) -> dict[str, np.ndarray]:
    """The columns of a record, read-only; raises `ValueError` unless they form one."""
    columns = {
        key: _column(key, value, source)
        for key, value in given.items()
        if value is not None and key != "emission"
    }
    emission = given["emission"]
    # None is refused like the one number that NaN is: it has no channels.
    columns["emission"] = _emission(np.nan if emission is None else emission, source)
    count = columns["time"].size
    for key, values in columns.items():
        if values.ndim and values.shape[0] != count:
            raise ValueError(
                f"{source}: the columns must have one length; got time {count} and "
                f"{key} {values.shape[0]}"
            )
    _check_time(columns["time"], source, check_ranges)
    for key, values in columns.items():
        # Only the time to failure may be unknown: after the last failure nobody knows it.
        if key != "time_to_failure" and not np.isfinite(values).all():
            raise ValueError(
                f"{source}: {int((~np.isfinite(values)).sum())} values of {key} are not finite; "
                "leave them out, or read the file with read_labquake, which fills short gaps"
            )
    if (columns["emission"] < 0).any():
        raise ValueError(
            f"{source}: the emission has negative values; give a variance, an amplitude or an "
            "energy (of a raw waveform, its variance over short windows)"
        )
    _derive_friction(columns, source)
    if check_ranges:
        _check_ranges(columns, source)
    return columns


def _column(key: str, value: Values, source: str) -> np.ndarray:
    # One number for a whole experiment stays one number, of shape ().
    if key == "normal_stress" and np.ndim(value) == 0:
        stress = as_column(key, np.reshape(value, 1), source)[0]
        return read_only(np.array(stress))
    if np.ndim(value) > 1:
        raise ValueError(
            f"{source}: {key} must have one dimension, but has shape {np.shape(value)}; a record "
            "is one experiment, so build one LabquakeRecord for each"
        )
    return as_column(key, value, source)


def _emission(value: Values, source: str) -> np.ndarray:
    if np.ndim(value) == 1:
        value = np.asarray(value)[:, None]
    if np.ndim(value) != 2 or 0 in np.shape(value):
        raise ValueError(
            f"{source}: emission must have shape (n, channels) or (n,), but has {np.shape(value)}"
        )
    channels = [as_column("emission", channel, source) for channel in np.asarray(value).T]
    return read_only(np.stack(channels, axis=1))


def _check_time(time: np.ndarray, source: str, check_ranges: bool) -> None:
    if time.size < MIN_SAMPLES:
        raise ValueError(
            f"{source}: {time.size} samples; a stick-slip record needs {MIN_SAMPLES} or more. "
            "Check that the record is complete, or widen the window"
        )
    steps = np.diff(time)
    dt = (time[-1] - time[0]) / steps.size
    # Written so that a NaN, which compares as false, is refused as well.
    if not (np.isfinite(time).all() and dt > 0 and (abs(steps - dt) <= UNEVEN * dt).all()):
        raise ValueError(
            f"{source}: the times must increase evenly; the steps run from {steps.min():.6g} s to "
            f"{steps.max():.6g} s. Interpolate on even times, or read the file with read_labquake, "
            "which does"
        )
    if check_ranges and time[-1] - time[0] > DURATION:
        raise ValueError(
            f"{source}: the record lasts {time[-1] - time[0]:.3g} s, so the unit of time looks "
            f'wrong: give the right one, such as units={{"time": "ms"}}. {_ESCAPE}'
        )


def _derive_friction(columns: dict[str, np.ndarray], source: str) -> None:
    """Friction as shear over normal stress, where it was not given."""
    normal = columns.get("normal_stress")
    if normal is not None and not (normal > 0).all():
        bad = int((normal <= 0).sum())
        raise ValueError(
            f"{source}: the normal stress must be positive (compression), in Pa; "
            + (f"got {normal:.6g}" if normal.ndim == 0 else f"{bad} values are not")
            + ". Leave unloaded parts out with window=(start, stop)"
        )
    if "friction" not in columns and "shear_stress" in columns and normal is not None:
        with np.errstate(over="ignore"):  # an overflow is for the ranges to judge
            columns["friction"] = read_only(columns["shear_stress"] / normal)


def _check_ranges(columns: dict[str, np.ndarray], source: str) -> None:
    shear, normal = columns.get("shear_stress"), columns.get("normal_stress")
    friction = columns.get("friction")
    name, target = ("shear stress", shear) if friction is None else ("friction", friction)
    if target is not None and np.ptp(target) == 0:
        raise ValueError(
            f"{source}: the {name} is constant ({target[0]:.6g}), so there is nothing to learn or "
            "to check against. Look at the column; to read the emission alone leave it out with "
            f'columns={{"{name.replace(" ", "_")}": None}}. {_ESCAPE}'
        )
    if friction is not None and not FRICTION[0] <= np.median(friction) <= FRICTION[1]:
        raise ValueError(
            f"{source}: friction would be {np.median(friction):.4g} (median), which is not between "
            f"{FRICTION[0]:g} and {FRICTION[1]:g}{_likely(shear, normal)}. {_ESCAPE}"
        )
    if normal is not None:
        _check_between("normal stress", normal, NORMAL_STRESS, source)
    # Beside a friction the shear stress has been judged already, by their ratio.
    if shear is not None and friction is None:
        _check_between("shear stress", shear, SHEAR_STRESS, source)


def _check_between(name: str, values: np.ndarray, limits: tuple[float, float], source: str) -> None:
    middle = float(np.median(values))
    if not limits[0] <= middle <= limits[1]:
        raise ValueError(
            f"{source}: the {name} is {middle:.4g} Pa (median), which is not between "
            f"{limits[0]:g} and {limits[1]:g} Pa, so its unit or sign looks wrong: give the right "
            f'unit, such as units={{"{name.replace(" ", "_")}": "MPa"}}. {_ESCAPE}'
        )


def _likely(shear: np.ndarray | None, normal: np.ndarray | None) -> str:
    """What would make friction plausible: another unit of the shear or of the normal stress."""
    if shear is None or normal is None:
        return ": friction is a plain ratio; map a shear stress to shear_stress instead"
    tau, sigma = float(np.median(shear)), float(np.median(normal))
    # Every unit is tried in turn; those that give a plausible friction become remedies. The reader
    # takes stresses in MPa unless a title or the user says Pa, so these two are what was read.
    remedies = []
    for have in ("MPa", "Pa"):
        for other, new in _UNITS.items():
            if have != other and _plausible(tau / _UNITS[have] * new, sigma):
                remedies.append(
                    f"if the shear stress was read in {have}, it looks to be in {other} "
                    f'(units={{"shear_stress": "{other}"}})'
                )
    # 8 given for 8 MPa comes first: laboratories write MPa, and this library takes Pa.
    likely_sigma = _LIKELY_NORMAL[0] <= sigma <= _LIKELY_NORMAL[1]
    for unit, factor in _UNITS.items():
        if factor > 1 and not likely_sigma and _plausible(tau, sigma * factor):
            remedies.insert(
                0,
                f"{sigma:.6g} looks to be a normal stress in {unit}: pass it in Pa, "
                f"normal_stress={sigma * factor:.6g}",
            )
    if tau > 0:
        low, high = tau / _USUAL_FRICTION[1], tau / _USUAL_FRICTION[0]
        remedies.append(
            f"with this shear stress ({tau:.4g} Pa) a normal stress of {low:.2g} to {high:.2g} Pa "
            "would be usual; give it with normal_stress="
        )
    else:
        remedies.append("the shear stress is not positive: check its column and sign")
    return f": wrong normal stress ({sigma:.4g} Pa)? {listed(remedies)}"


def _plausible(tau: float, sigma: float) -> bool:
    return FRICTION[0] <= tau / sigma <= FRICTION[1]
