"""Source files for the simulated DAM, one for each of its dialects."""

from __future__ import annotations

HEAD = """
source: sim
base_url: https://dam.example.com
id: id
updated: updated_at
overlap_s: {overlap}
since: {{format: "{format}", tz: {tz}, granularity_s: {granularity}, exclusive: {exclusive}}}
item: {{get: "/assets/{{{{id}}}}", item: data, gone_status: [403, 404]}}
deleted: {{flag: deleted{feed}}}
rate: {{retry_status: [420, 429, 503]}}
"""

FEED = """, feed: {path: /deletions, params: {after: "{{since}}", limit: "{{limit}}"}, items: data,
   ids: item, at: serial, overlap: 100, since: {format: serial},
   pagination: {kind: offset, size: 50}}"""

LISTS = {
    "offset": """
list:
  path: /offset/assets
  params: {{"filter[updated_at][_gte]": "{{{{since}}}}", sort: "{sort}", limit: "{{{{limit}}}}",
            offset: "{{{{offset}}}}"}}
  items: data
  order: {order}
  mode: {mode}
  pagination: {{kind: offset, size: {size}, max_size: {largest}}}
""",
    "page": """
list:
  path: /page/assets
  params: {{updated_after: "{{{{since}}}}", sort: "{sort}", per_page: "{{{{limit}}}}",
            page: "{{{{page}}}}"}}
  items: data
  order: {order}
  mode: {mode}
  pagination: {{kind: page, size: {size}, max_size: {largest}}}
""",
    "cursor": """
list:
  path: /cursor/assets
  params: {{updated_after: "{{{{since}}}}", sort: "{sort}", limit: "{{{{limit}}}}",
            cursor: "{{{{cursor}}}}"}}
  items: items
  order: {order}
  mode: {mode}
  pagination: {{kind: cursor, next: next_cursor, size: {size}, max_size: {largest}}}
""",
    "next_url": """
list:
  path: /next/assets
  params: {{updated_after: "{{{{since}}}}", sort: "{sort}", limit: "{{{{limit}}}}"}}
  items: results
  order: {order}
  mode: {mode}
  pagination: {{kind: next_url, next: paging.next, size: {size}, max_size: {largest}}}
""",
    "link": """
list:
  path: /link/assets
  params: {{updated_after: "{{{{since}}}}", sort: "{sort}", limit: "{{{{limit}}}}"}}
  order: {order}
  mode: {mode}
  pagination: {{kind: link, size: {size}, max_size: {largest}}}
""",
    "header_cursor": """
list:
  path: /header/assets
  params: {{updated_after: "{{{{since}}}}", sort: "{sort}", limit: "{{{{limit}}}}",
            cursor: "{{{{cursor}}}}"}}
  order: {order}
  mode: {mode}
  pagination: {{kind: header_cursor, header: X-Next-Cursor, size: {size}, max_size: {largest}}}
""",
    "graphql": """
list:
  method: POST
  path: /graphql
  body:
    query: "query($since: String, $limit: Int!, $after: String) {{ assets {{ nodes {{ id }} }} }}"
    variables: {{since: "{{{{since}}}}", limit: "{{{{limit:int}}}}", after: "{{{{cursor}}}}",
                 descending: {descending}}}
  items: data.assets.nodes
  order: {order}
  mode: {mode}
  pagination: {{kind: cursor, next: data.assets.pageInfo.endCursor,
                more: data.assets.pageInfo.hasNextPage, size: {size}, max_size: {largest}}}
""",
    "token": """
list:
  path: /sync
  params: {{initial: "true", limit: "{{{{limit}}}}"}}
  items: items
  pagination: {{kind: token, next: nextPageUrl, last: nextSyncUrl, size: {size}}}
""",
}


def source(
    dialect: str,
    *,
    mode: str = "requery",
    order: str = "asc",
    size: int = 10,
    largest: int = 80,
    format_: str = "iso_ms_z",
    tz: str = "UTC",
    granularity: float = 1,
    overlap: float = 60,
    exclusive: bool = False,
    feed: bool = False,
) -> str:
    """Write a source file for one dialect of the simulated DAM."""
    head = HEAD.format(
        overlap=overlap,
        format=format_,
        tz=tz,
        granularity=granularity,
        exclusive=str(exclusive).lower(),
        feed=FEED if feed else "",
    )
    listing = LISTS[dialect].format(
        mode=mode,
        order=order,
        size=size,
        largest=largest,
        sort="id" if mode == "full" else "-updated_at" if order == "desc" else "updated_at",
        descending=str(order == "desc").lower(),
    )
    if mode == "full" or order == "desc":
        for dated in ('"filter[updated_at][_gte]": "{{since}}", ', 'updated_after: "{{since}}", '):
            listing = listing.replace(dated, "")
        listing = listing.replace('since: "{{since}}", ', "")
    return head + listing
