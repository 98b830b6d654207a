"""`jaxfric study …`."""

from pathlib import Path

from jaxfric.cli._files import publish


def run_slide_hold_learn(preset: str, out: Path, resume: bool = False, force: bool = False) -> None:
    """The study in float32 (as the paper's), its table and its figures."""
    import jax

    from jaxfric import plotting
    from jaxfric.studies import slide_hold_learn as study

    jax.config.update("jax_enable_x64", False)
    metrics = study.run(preset, out, resume=resume, force=force, progress=True)
    table = study.table(metrics)
    figures = plotting.plot_slide_hold_learn(metrics, out)
    files = publish(out, {"table.txt": table + "\n", **figures})
    print(f"\n{table}\n\nIn {out.resolve()}: metrics.json, {', '.join(f.name for f in files)}")
