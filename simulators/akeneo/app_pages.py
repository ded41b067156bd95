"""The PIM's pages and endpoints for apps: App Store, consent, Connected apps, tokens."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.akeneo.apps import App, OAuthError, User, in_words, known_scopes
from simulators.akeneo.pim import Pim

AUTHORIZE = "/connect/apps/v1/authorize"
TOKEN = "/connect/apps/v1/oauth2/token"  # noqa: S105  # a path
USER_COOKIE = "pim-user"
_TEMPLATES = Environment(loader=PackageLoader("simulators.akeneo", "templates"), autoescape=True)

Form = dict[str, str]
Show = Callable[[Pim, Request, Form], Response]


def page(name: str, status: int = 200, **shown: Any) -> Response:
    """One of the PIM's pages."""
    return HTMLResponse(_TEMPLATES.get_template(name).render(shown), status)


def base_of(request: Request) -> str:
    """The PIM's address as the browser knows it: also the issuer of its id tokens."""
    return str(request.base_url).rstrip("/")


def user_of(pim: Pim, request: Request) -> User:
    """Which user this browser is."""
    users = pim.apps.users
    return users.get(request.cookies.get(USER_COOKIE, ""), users["julia"])


def _store(pim: Pim, request: Request, _: Form) -> Response:
    return page(
        "apps.html",
        apps=sorted(pim.apps.apps.values(), key=lambda app: app.name),
        user=user_of(pim, request),
        users=list(pim.apps.users.values()),
        base=base_of(request),
    )


def _create(pim: Pim, _: Request, form: Form) -> Response:
    try:
        app = pim.apps.create(
            form.get("name", ""), form.get("activate_url", ""), form.get("callback_url", "")
        )
    except ValueError as error:
        return page("refused.html", 422, message=str(error))
    return page("app_created.html", 201, app=app)


def _switch(pim: Pim, _: Request, form: Form) -> Response:
    response = RedirectResponse("/connect/apps", 303)
    if form.get("user") in pim.apps.users:
        response.set_cookie(USER_COOKIE, form["user"], httponly=True)
    return response


def _open(pim: Pim, request: Request, _: Form) -> Response:
    """Connect and Open app: the browser goes to the app, which is told which PIM this is."""
    app = pim.apps.apps.get(request.path_params["client_id"])
    if app is None:
        return page("missing.html", 404, what="app")
    if not user_of(pim, request).may_open:
        return page("refused.html", 403, message="Your role may not open apps.")
    joint = "&" if "?" in app.activate_url else "?"
    return RedirectResponse(
        f"{app.activate_url}{joint}{urlencode({'pim_url': base_of(request)})}", 302
    )


def _disconnect(pim: Pim, request: Request, _: Form) -> Response:
    if request.path_params["client_id"] not in pim.apps.apps:
        return page("missing.html", 404, what="app")
    if not user_of(pim, request).may_manage:
        return page("refused.html", 403, message="Your role may not manage apps.")
    pim.apps.disconnect(request.path_params["client_id"])
    return RedirectResponse("/connect/apps", 303)


def _ask(pim: Pim, request: Request, _: Form) -> Response:
    """The authorize page: asks a user who may consent, unless nothing is new."""
    query = dict(request.query_params)
    app = pim.apps.apps.get(query.get("client_id", ""))
    if app is None:
        return page("refused.html", 400, message="There is no app with this client id.")
    if query.get("response_type") != "code":
        return _back(app, {"error": "unsupported_response_type"}, query)
    user = user_of(pim, request)
    if not user.may_open:
        return page("refused.html", 403, message="Your role may not open apps.")
    lacking = app.lacks(known_scopes(query.get("scope", "")), user)
    if not lacking and app.tokens:
        return _consented(pim, app, user, query)
    if lacking - {"openid", "profile", "email"} and not user.may_manage:
        message = "This app asks for new rights. Ask somebody who may manage apps."
        return page("refused.html", 403, message=message)
    asked = sorted(in_words(scope) for scope in lacking)
    return page("consent.html", app=app, user=user, asked=asked, action=str(request.url.query))


def _decide(pim: Pim, request: Request, form: Form) -> Response:
    query = dict(request.query_params)
    app = pim.apps.apps.get(query.get("client_id", ""))
    if app is None:
        return page("refused.html", 400, message="There is no app with this client id.")
    if form.get("decision") != "confirm":
        told = {"error": "access_denied", "error_description": "The user has denied access"}
        return _back(app, told, query)
    return _consented(pim, app, user_of(pim, request), query)


def _consented(pim: Pim, app: App, user: User, query: Form) -> Response:
    code = pim.apps.authorize(app, user, query.get("scope", ""), query.get("nonce", ""))
    return _back(app, {"code": code}, query)


def _back(app: App, told: Form, query: Form) -> Response:
    if query.get("state"):
        told = told | {"state": query["state"]}
    joint = "&" if "?" in app.callback_url else "?"
    return RedirectResponse(f"{app.callback_url}{joint}{urlencode(told)}", 302)


def _token(pim: Pim, request: Request, form: Form) -> Response:
    try:
        answer = pim.apps.token(form, base_of(request))
    except OAuthError as error:
        told = {"error": error.error, "error_description": error.description}
        return JSONResponse(told, 400)
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def _public_key(pim: Pim, _: Request, __: Form) -> Response:
    return JSONResponse({"public_key": pim.apps.certificate.pem})


def _scopes_update(pim: Pim, request: Request, _: Form) -> Response:
    """The app says which scopes it will ask for; its users see that something waits."""
    bearer = request.headers.get("authorization", "").partition(" ")[2]
    user = pim.accounts.app_users.get(bearer)
    app = next((app for app in pim.apps.apps.values() if app.user == user), None)
    if app is None:
        return JSONResponse({"code": 401, "message": "The access token provided is invalid."}, 401)
    scopes = known_scopes(request.query_params.get("scopes", ""))
    app.waiting = scopes - app.scopes - {"openid", "profile", "email"}
    return Response(status_code=204)


def app_routes(pim: Pim) -> Iterator[Route]:
    """Everything below `/connect/apps`."""
    for method, path, show in (
        ("GET", "/connect/apps", _store),
        ("POST", "/connect/apps", _create),
        ("POST", "/connect/apps/user", _switch),
        ("GET", "/connect/apps/{client_id}/open", _open),
        ("POST", "/connect/apps/{client_id}/disconnect", _disconnect),
        ("GET", AUTHORIZE, _ask),
        ("POST", AUTHORIZE, _decide),
        ("POST", TOKEN, _token),
        ("GET", "/connect/apps/v1/openid/public-key", _public_key),
        ("POST", "/connect/apps/v1/scopes/update", _scopes_update),
    ):
        yield Route(path, _endpoint(pim, show), methods=[method])


def _endpoint(pim: Pim, show: Show) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        with pim.lock:
            return show(pim, request, form)

    return answer
