"""Guards of routes: what Litestar makes of them."""

import inspect

from litestar.routes import HTTPRoute

from app.http.checks import checked
from app.main import create_app
from config.settings import Settings


def test_no_request_is_guarded_in_a_thread() -> None:
    app = create_app(Settings(protect_health=True, protect_metrics=True))
    handlers = [handler for route in app.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers]
    guards = {guard for handler in handlers for layer in handler.ownership_layers for guard in layer.guards or ()}
    assert {guard.__name__ for guard in guards} == {"identified"}
    hooks = {layer.before_request for handler in handlers for layer in handler.ownership_layers} - {None}
    assert checked in hooks
    # one that is not async is called in a thread by Litestar
    assert all(map(inspect.iscoroutinefunction, guards | {checked}))
