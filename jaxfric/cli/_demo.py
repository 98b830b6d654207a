"""`jaxfric demo`: what the package does, on real data, in a minute."""

from pathlib import Path

from jaxfric.cli._design import run_design
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import publish
from jaxfric.cli._fit_step import Request, run_fit
from jaxfric.cli._target import wanted_law

DRAWING = "jaxfric.plotting._history"


def run_demo(out: Path, painter: Painter | None = None) -> None:
    """What `make demo` shows: a fit of real data, a stick-slip cycle, a derivative, a design."""
    import numpy as np

    from jaxfric import inversion, ratestate, records

    painter = painter or Painter(apart=False)

    print("1. Fit the shipped velocity step on basalt gouge (Giacomel et al. 2021)\n")
    fits = run_fit(records.sample("basalt"), out, Request(), painter)

    print("\n2. A stick-slip cycle at half the critical stiffness\n")
    law = ratestate.RateStateLaw(mu0=0.6, a=0.010, b=0.015, Dc=1e-5, V0=1e-6)
    critical = float(ratestate.critical_stiffness(law, 1e-5))
    spring = ratestate.Spring(0.5 * critical, damping=1e-2)
    # One velocity and no step: below the critical stiffness steady sliding is unstable by itself
    load = ratestate.VelocityProtocol([0.0], [1e-5])
    # A tenth of the load point's velocity: at steady state it would take long to leave it
    start = (1e-6, law.initial(1e-6))
    history = ratestate.spring_slider(
        law,
        spring,
        load,
        np.array([0.0, 200.0]),
        initial=start,
        steps=True,
        options=ratestate.Options(max_steps=8192),
    )
    events = ratestate.catalogue(history, max_events=16)
    print(f"critical stiffness {critical:.4g} 1/m\n{events}")
    columns = (history.time, history.friction, history.velocity, history.slip)
    cycle = painter.draw(
        DRAWING, "draw_stick_slip", *map(np.asarray, columns),
        np.asarray(events.time)[np.asarray(events.valid)],
        title="Stick-slip at half the critical stiffness",
    )  # fmt: skip
    publish(out, {"stick-slip.txt": f"{events}\n", "stick-slip.png": cycle})

    print("\n3. The fitted step, differentiated: ∂μ(t)/∂ln p in forward mode\n")
    # `sensitivity` runs the program of the fit, so nothing more is compiled here
    best = min(fits, key=lambda fit: fit.bic)
    time = np.linspace(float(best.time[0]), float(best.time[-1]), 801)
    found = inversion.sensitivity(best.law, best.spring, best.protocol, time)
    largest = ", ".join(f"{n} {np.abs(s).max():.2g}" for n, s in found.by_log.items())
    print(f"largest |∂μ/∂ln p|: {largest}")
    figure = painter.draw(
        DRAWING, "plot_sensitivity", time - float(best.protocol.times[1]),
        np.asarray(found.friction), {k: np.asarray(v) for k, v in found.by_log.items()},
        title="What a velocity step tells about each parameter",
    )  # fmt: skip
    publish(out, {"sensitivity.png": figure})
    print("\n4. A rough surface designed for a friction coefficient of 0.5\n")
    run_design(wanted_law(None, linear=0.5), out, material=(1.4e6, 1e5, 1.0), max_indentation=0.5,
               painter=painter)  # fmt: skip
    print(f"\nFigures and tables are in {out.resolve()}:")
    for path in sorted(out.iterdir()):
        print(f"  {path.name}")
