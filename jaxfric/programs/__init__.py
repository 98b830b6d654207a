"""Programs that are compiled once and, where an application asks for it, kept between processes.

from jaxfric import programs

@programs.program                       # a pure function of pytrees, at the top of a module
def solve(law, t): ...

solve(law, t)                           # compiled once for a kind of arguments
programs.keep("~/.cache/my-app")        # an application's choice: traced once on a machine
"""

from jaxfric.programs._program import (
    Program as Program,
    prepare as prepare,
    program as program,
)
from jaxfric.programs._store import (
    EVERYWHERE as EVERYWHERE,
    SHIPPED as SHIPPED,
    Keeper as Keeper,
    forget as forget,
    keep as keep,
    keeper as keeper,
)
