"""Setting a case up: through the simulator's own write functions, in its process."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from simulators.akeneo.accounts import RIGHTS, WEB_API, Accounts, Connection
from simulators.akeneo.catalog import Catalog, from_resources
from simulators.akeneo.model_writes import create_model
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_writes import create_product, create_product_by_uuid
from simulators.akeneo.structure_resources import FAMILY_VARIANTS, WRITINGS
from simulators.akeneo.structure_writes import write_structure
from tests.pim_vectors.files import file_content
from tests.pim_vectors.intents import UnknownStepError, body_of
from tests.pim_vectors.vectors import Vector
from tests.pim_vectors.words import put_told_products, told_catalog

MEDIA_KEY = re.compile(r"\{\{media_file_key:([^}]+)\}\}")
_CODE_IN_STUB = re.compile(r'findOneByIdentifier\(\["([^"]+)"\]\)')
_TYPE_IN_STUB = re.compile(r'createAttribute\(\["([^"]+)"\]\)')
_STRUCTURE = {
    "attribute": WRITINGS["attributes"],
    "family": WRITINGS["families"],
    "association_type": WRITINGS["association-types"],
    "channel": WRITINGS["channels"],
    "category": WRITINGS["categories"],
    "attribute_group": WRITINGS["attribute-groups"],
}
_LATER = re.compile("Regenerate")
"""Steps that come between a case's earlier requests and its own."""


@dataclass(slots=True)
class Catalogs:
    """The recorded catalogues by name, read once."""

    folder: Path
    uuids: dict[str, str] = field(default_factory=dict)
    """UUIDs that products must get, by identifier."""
    read: dict[str, dict[str, Any]] = field(default_factory=dict)
    built: dict[str, Catalog] = field(default_factory=dict)

    def resources(self, name: str) -> dict[str, Any]:
        """A catalogue's REST objects; those that are not given stand on the technical one."""
        if not (self.folder / f"catalog_{name}.json").exists():
            name = "technical"
        if name not in self.read:
            self.read[name] = json.loads((self.folder / f"catalog_{name}.json").read_text())
        return self.read[name]

    def catalog(self, name: str) -> Catalog:
        """The catalogue as the simulator holds it; to be copied before use."""
        if name not in self.built:
            self.built[name] = from_resources(self.resources(name))
        return self.built[name]


@dataclass(slots=True)
class Scene:
    """A simulator set up for one case, and what its placeholders stand for."""

    pim: Pim
    users: dict[str, str]
    """Role by user name."""
    connections: list[Connection] = field(default_factory=list)
    credentials: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    """As they were when the connection was made, by user name."""
    media: dict[str, str] = field(default_factory=dict)
    later: list[dict[str, Any]] = field(default_factory=list)
    roles: dict[str, set[str]] = field(default_factory=dict)
    """Roles that the case makes, with their rights."""

    def media_key(self, name: str) -> str:
        """The key of an uploaded file with this name; stored when first asked for."""
        if name not in self.media:
            content = file_content(name) + name.encode()
            self.media[name] = self.pim.media.store(PurePosixPath(name).name, content).key
        return self.media[name]

    def resolve(self, text: str) -> str:
        """A text with its media keys filled in."""
        return MEDIA_KEY.sub(lambda match: self.media_key(match.group(1)), text)


def set_up(pim: Pim, catalogs: Catalogs, vector: Vector) -> Scene:
    """Empty the simulator and bring it to where the case begins."""
    resources = catalogs.resources(vector.catalog)
    if isinstance(vector.steps, dict):
        pim.clear(told_catalog(resources, vector.steps["attributes"], vector.words))
    else:
        pim.clear(catalogs.catalog(vector.catalog))
    scene = Scene(pim, {user["username"]: user["roles"] for user in resources.get("users", [])})
    pim.accounts = Accounts()
    for user in resources.get("users", []):
        _connect(scene, user["username"], user["username"], user["password"])
    if "AuthorizationEndToEnd" in vector.name or "AuthorizationIntegration" in vector.name:
        _give_rights(scene)
    if isinstance(vector.steps, dict):
        put_told_products(pim, vector.words)
        return scene
    for step in vector.steps:
        if _LATER.search(json.dumps(step)):
            scene.later.append(step)
        else:
            take(scene, step)
    _give_uuids(pim, catalogs.uuids)
    return scene


def _give_rights(scene: Scene) -> None:
    """The rights of the recorded roles: all, the API without a resource, not even the API."""
    for user, role in scene.users.items():
        rights = {"ROLE_ADMINISTRATOR": None, "ROLE_TRAINEE": ()}.get(role, (WEB_API,))
        scene.pim.accounts.set_rights(user, rights)


def _give_uuids(pim: Pim, uuids: dict[str, str]) -> None:
    for identifier, uuid in uuids.items():
        product = pim.product_by_identifier(identifier)
        if product is not None and product.uuid != uuid:
            pim.forget_product(product)
            product.uuid = uuid
            pim.save_product(product)


def _connect(scene: Scene, code: str, username: str, password: str) -> None:
    connection = Connection(
        client_id=f"client-{code}", secret=f"secret-{code}", username=username, password=password
    )
    scene.pim.accounts.connect(connection)
    scene.connections.append(connection)
    scene.passwords[username] = password
    if not scene.credentials or code not in scene.users:
        scene.credentials = {
            "client_id": connection.client_id,
            "client_secret": connection.secret,
        }


def take(scene: Scene, step: dict[str, Any]) -> None:
    """Do one recorded step; raises `UnknownStepError` or the simulator's `Refusal`."""
    match step["t"]:
        case "auth_as":
            return
        case "setup":
            _SETUPS[step["fn"]](scene, *step["args"])
        case "call":
            _call(scene, step["on"], step["method"], step["args"])
        case kind:
            raise UnknownStepError(kind)


def _create_product(scene: Scene, identifier: Any, intents: Any = None) -> None:
    body = body_of(intents, scene.resolve)
    if identifier is None:
        create_product_by_uuid(scene.pim, body)
        return
    create_product(scene.pim, {"identifier": identifier} | body)


def _create_with_uuid(scene: Scene, uuid: str, intents: Any) -> None:
    create_product_by_uuid(scene.pim, {"uuid": uuid} | body_of(intents, scene.resolve))


def _create_model(scene: Scene, body: dict[str, Any]) -> None:
    create_model(scene.pim, json.loads(scene.resolve(json.dumps(body))))


def _create_connection(scene: Scene, code: str, *_: Any) -> None:
    _connect(scene, code, f"{code}_user", f"password-{code}")


def _remove_right(scene: Scene, right: str, role: str) -> None:
    name = right.removeprefix("action:pim_api_")
    name = WEB_API if name == "overall_access" else name
    denied = {f"{user}:{name}" for user, given in scene.users.items() if given == role}
    scene.pim.accounts.denied |= denied


_SETUPS: dict[str, Callable[..., None]] = {
    "createProduct": _create_product,
    "createVariantProduct": _create_product,
    "createProductWithUuid": _create_with_uuid,
    "createProductModel": _create_model,
    "createConnection": _create_connection,
    "removeAclFromRole": _remove_right,
}


def _call(scene: Scene, service: str, method: str, args: list[Any]) -> None:
    match service.rpartition("\\")[2].split("."), method:
        case ["pim_catalog", "updater", kind], "update":
            _update(scene, kind, args[0]["$stub"], args[1])
        case ["pim_catalog", "remover", "channel"], "remove":
            code = _CODE_IN_STUB.search(args[0]["$stub"])
            scene.pim.catalog.rows["channels"].pop(code.group(1).lower() if code else "")
            scene.pim.catalog.refresh()
        case ["akeneo_file_storage", *_], "store":
            name = PurePosixPath(args[0]["$file"]).name
            scene.pim.media.store(name, file_content(name))
        case ["pim_enrich", "product", "message_bus"], "dispatch":
            command = args[0]
            identifier = command["productIdentifierOrUuid"]["identifier"]
            _create_product(scene, identifier, command["valueUserIntents"])
        case ["RegenerateConnectionSecretHandler"], "handle":
            scene.pim.accounts.renew_secret(f"client-{args[0]['code']}")
        case ["RegenerateConnectionPasswordHandler"], "handle":
            scene.pim.accounts.renew_password(f"client-{args[0]['code']}")
        case ["database_connection"], _:
            _statement(scene, args)
        case ["akeneo_integration_tests", *_], "logIn":
            return
        case ["pim_user", "factory", *_], "setRole":
            _make_role(scene, args[0])
        case ["pim_user", "factory", *_], "setLabel":
            return
        case ["pim_user", "repository", *_], "setPermissions":
            return
        case ["pim_user", "repository", *_], "addRole":
            _add_role(scene, service, args[0]["$stub"])
        case _:
            raise UnknownStepError(f"{service}->{method}")


def _make_role(scene: Scene, name: str) -> None:
    """A role that is named after its right; who has a role of a case's own has no other."""
    right = name.removeprefix("pim_api_")
    scene.roles[name] = {WEB_API} | ({right} & RIGHTS)
    for user, role in scene.users.items():
        if role != "ROLE_ADMINISTRATOR":
            scene.pim.accounts.set_rights(user, ())


def _add_role(scene: Scene, service: str, stub: str) -> None:
    user, role = _CODE_IN_STUB.search(service), _CODE_IN_STUB.search(stub)
    if user and role:
        scene.pim.accounts.set_rights(user.group(1), scene.roles[role.group(1)])


def _statement(scene: Scene, args: list[Any]) -> None:
    """SQL: only the revoked token matters; the others touch what the API does not show."""
    if "revoked_app_token" in args[0]:
        scene.pim.accounts.revoked.add(args[1]["token"])


def _update(scene: Scene, kind: str, stub: str, body: dict[str, Any]) -> None:
    found, created_type = _CODE_IN_STUB.search(stub), _TYPE_IN_STUB.search(stub)
    code = found.group(1) if found else body.get("code")
    if created_type:
        body = {"type": created_type.group(1)} | body
    if kind == "product_model":
        _create_model(scene, body)
    elif kind == "family_variant":
        fixed = {"family": body["family"]}
        rest = {key: data for key, data in body.items() if key != "family"}
        write_structure(scene.pim, FAMILY_VARIANTS, code, rest, fixed)
    elif kind in _STRUCTURE:
        write_structure(scene.pim, _STRUCTURE[kind], code, body)
    else:
        raise UnknownStepError(f"updater of {kind}")
