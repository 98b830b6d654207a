"""Networks: velocity history → change of friction, and wanted law → rough surface.

import jax
from flax import nnx
from jaxfric import networks

network = networks.FrictionCell(rngs=nnx.Rngs(0))
change = network(velocity, dt)                    # (m,) → (m,), one sequence; jax.vmap for a batch
hidden, mu = network.step(hidden, V, dt)          # inside a simulator
"""

from jaxfric.networks._autoencoder import (
    CVAE as CVAE,
    kl_divergence as kl_divergence,
    smooth_l1 as smooth_l1,
)
from jaxfric.networks._dense import MLP as MLP, ResidualMLP as ResidualMLP
from jaxfric.networks._emission import EmissionGRU as EmissionGRU, EmissionTCN as EmissionTCN
from jaxfric.networks._encoder_decoder import (
    Decoded as Decoded,
    EncoderDecoder as EncoderDecoder,
    latent_share as latent_share,
    scalogram_loss as scalogram_loss,
)
from jaxfric.networks._friction_cell import FrictionCell as FrictionCell
from jaxfric.networks._friction_gru import FrictionGRU as FrictionGRU
from jaxfric.networks._law import CellLaw as CellLaw, SteppedLaw as SteppedLaw
from jaxfric.networks._losses import (
    direct_effect as direct_effect,
    healing as healing,
    initial_gradient as initial_gradient,
    initial_value as initial_value,
    jump_sizes as jump_sizes,
    l2 as l2,
    mean_absolute as mean_absolute,
    mean_squared as mean_squared,
)
from jaxfric.networks._sequence import unroll as unroll, unroll_with_slopes as unroll_with_slopes
from jaxfric.networks._surface import SurfaceGenerator as SurfaceGenerator
