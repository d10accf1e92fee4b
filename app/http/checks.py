"""What is asked of a request for the API before anything of it is read: its key, its rate, and that its query is known.

Before the handler rather than by guards: for each guard of each request Litestar makes a copy of the handler.
"""

from typing import Any

from litestar import Request

from app.http.access.gate import Gate
from app.http.requests.strict import require_known_query


# async, though nothing is awaited: Litestar would call another in a thread, which costs more than all of this
async def checked(request: Request[Any, Any, Any]) -> None:
    """Litestar's hook before the API's handlers. Raises ApiError."""
    gate: Gate = request.app.state.gate
    gate.admit(request)
    require_known_query(request)
