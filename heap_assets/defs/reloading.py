"""New tables become assets by themselves: the run that saw one has the webserver load the definitions again.

Here: asking the webserver at HEAP_UI_URL, if one is there. A run that no daemon launched asks nobody. Not here: which
tables are known (pipeline/registry.py).
"""

import json
import urllib.error
import urllib.request
from collections.abc import Collection

import dagster as dg

from heap_assets.defs.internals import location_of

_RELOAD = "mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"
_ANSWER_S = 60  # loading takes seconds, more on a busy machine


def reload_definitions(context: dg.AssetExecutionContext, new: Collection[str], ui_url: str) -> None:
    """Have the code location of this run loaded again for new tables; the log says how that went."""
    location = location_of(context.run)
    if not new or location is None:
        return
    names = ", ".join(sorted(new)[:10])
    refused = _refusal(ui_url, location)
    if refused is None:
        context.log.info("New tables: %s. They are assets now: %s loaded %s again.", names, ui_url, location)
    else:
        context.log.warning(
            "New tables: %s. They become assets with 'Reload definitions': no Dagster webserver at %s took it (%s);"
            " HEAP_UI_URL says where it is.",
            names,
            ui_url,
            refused,
        )


def _refusal(ui_url: str, location: str) -> str | None:
    """Ask for a reload; return why it was refused, None if it was not."""
    request = urllib.request.Request(  # noqa: S310  settings.py takes http and https only
        f"{ui_url}/graphql",
        data=json.dumps({"query": _RELOAD, "variables": {"name": location}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
            found = json.load(answer)["data"]["reloadRepositoryLocation"]["__typename"]
    except (urllib.error.URLError, TimeoutError, ValueError, KeyError, TypeError) as error:
        return str(error)
    return None if found == "WorkspaceLocationEntry" else str(found)
