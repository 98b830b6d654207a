"""Rough contact, and surfaces designed for a friction law.

surface = Asperities(height, radius)                          # m, in any order
material = Material(modulus=1.4e6, shear_strength=1e5)        # E*, σ in Pa
curve = friction_law(surface, material, loads)                # .friction .area .separation
bank = make_bank(key=key)                                     # shapes of 20,000 random laws
found = design(material, loads, 0.5 * loads, bank=bank)       # a surface with F = 0.5 P
"""

from jaxfric.contact._asperities import (
    RADIUS_BOUNDS as RADIUS_BOUNDS,
    Asperities as Asperities,
    Material as Material,
)
from jaxfric.contact._bank import (
    Bank as Bank,
    make_bank as make_bank,
    nearest as nearest,
    random_errors as random_errors,
)
from jaxfric.contact._closed_form import closed_form_design as closed_form_design
from jaxfric.contact._curve import (
    FrictionCurve as FrictionCurve,
    area_at as area_at,
    friction_law as friction_law,
    load_at as load_at,
)
from jaxfric.contact._design import (
    design as design,
    designs as designs,
    feasibility as feasibility,
)
from jaxfric.contact._designed import Design as Design
from jaxfric.contact._expected import (
    ExpectedCurve as ExpectedCurve,
    ExponentialHeights as ExponentialHeights,
    Population as Population,
    expected_friction_law as expected_friction_law,
)
from jaxfric.contact._feasibility import Feasibility as Feasibility, judged as judged
from jaxfric.contact._interaction import (
    InteractingContacts as InteractingContacts,
    interacting_contacts as interacting_contacts,
    interacting_friction_law as interacting_friction_law,
)
from jaxfric.contact._metrics import smape as smape
from jaxfric.contact._mixture import SurfaceMixture as SurfaceMixture
from jaxfric.contact._mixture_bounds import (
    MixtureBounds as MixtureBounds,
    mixture_at as mixture_at,
    sample_mixtures as sample_mixtures,
)
from jaxfric.contact._outcome import Outcome as Outcome
from jaxfric.contact._part import Part as Part, part as part, room as room
from jaxfric.contact._places import InteractionOutcome as InteractionOutcome
from jaxfric.contact._refine import refine as refine
from jaxfric.contact._refine_interacting import refine_interacting as refine_interacting
from jaxfric.contact._sobol import sobol as sobol
from jaxfric.contact._stream import LawBatch as LawBatch, law_stream as law_stream
from jaxfric.contact._summits import Summits as Summits, summits as summits
from jaxfric.contact._targets import (
    bilinear_law as bilinear_law,
    check_target as check_target,
    friction_bounds as friction_bounds,
    linear_law as linear_law,
    power_law as power_law,
)
from jaxfric.contact._tolerance import Tolerance as Tolerance, tolerance as tolerance
from jaxfric.contact._under_load import UnderLoad as UnderLoad, under_load as under_load
