"""Answers as Reddit does: access tokens, searches and the newest comments of subreddits."""

from __future__ import annotations

from typing import Any

from tests.sources.providers.server import Answer, LocalServer, Request, json_answer

TOKEN = "/api/v1/access_token"  # noqa: S105 - none
SEARCH = "/r/stocks+wallstreetbets+investing/search/"
COMMENTS = "/r/stocks+wallstreetbets+investing/comments/"

#: What must not appear in any message.
CLIENT_ID = "client-id-of-mine"
CLIENT_SECRET = "client-secret-of-mine"  # noqa: S105 - none
ACCESS_TOKEN = "access-token-of-mine"  # noqa: S105 - none
SECRETS = (CLIENT_ID, CLIENT_SECRET, ACCESS_TOKEN)

#: Most that Reddit gives at once.
PAGE = 100


def token(access_token: str = ACCESS_TOKEN) -> Answer:
    """What an application gets for its credentials."""
    return json_answer(
        {"access_token": access_token, "token_type": "bearer", "expires_in": 86400, "scope": "*"}
    )


def post(id_: str, seconds: float, title: str = "AAPL is up", **changes: Any) -> dict[str, Any]:
    """A submission as in a listing, with the fields that tell something."""
    return {
        "id": id_,
        "name": f"t3_{id_}",
        "title": title,
        "selftext": "",
        "author": "a_trader",
        "author_fullname": "t2_5x2k",
        "created_utc": seconds,
        "score": 5,
        "ups": 5,
        "upvote_ratio": 0.8,
        "num_comments": 2,
        "subreddit": "stocks",
        "subreddit_id": "t5_2qjfk",
        "permalink": f"/r/stocks/comments/{id_}/aapl_is_up/",
        "url": f"https://www.reddit.com/r/stocks/comments/{id_}/aapl_is_up/",
        "is_self": True,
        "over_18": False,
        **changes,
    }


def comment(id_: str, seconds: float, body: str, **changes: Any) -> dict[str, Any]:
    """A comment as in a listing."""
    return {
        "id": id_,
        "name": f"t1_{id_}",
        "body": body,
        "author": "a_reader",
        "created_utc": seconds,
        "score": 3,
        "replies": "",
        "subreddit": "stocks",
        "link_id": "t3_a1",
        "parent_id": "t3_a1",
        "permalink": f"/r/stocks/comments/a1/aapl_is_up/{id_}/",
        **changes,
    }


def listing(children: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    """A listing of submissions or comments."""
    return {
        "kind": "Listing",
        "data": {
            "after": after,
            "before": None,
            "dist": len(children),
            "modhash": None,
            "children": [{"kind": item["name"][:2], "data": item} for item in children],
        },
    }


class RedditServer(LocalServer):
    """Has posts and comments, newest first; a search finds all of them, unless ``searching``.

    Attributes:
        posts: all submissions.
        comments: all comments.
        headers: what comes with each listing.
        searching: whether only posts are found that have a term of the search in their title.
    """

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}
        self.searching = False

    def answer(self, request: Request) -> Answer:
        if request.path == TOKEN:
            return token()
        things = {SEARCH: self.posts, COMMENTS: self.comments}.get(request.path)
        if things is None:
            return json_answer({"message": "Not Found", "error": 404}, 404)
        if self.searching and request.path == SEARCH:
            terms = [term.strip('"') for term in request.value("q").split(" OR ")]
            things = [one for one in things if any(term in one["title"] for term in terms)]
        newest = sorted(things, key=lambda thing: -thing["created_utc"])
        names = [thing["name"] for thing in newest]
        after = request.value("after")
        first = names.index(after) + 1 if after else 0
        page = newest[first : first + min(PAGE, int(request.value("limit", "25")))]
        more = bool(page) and page[-1] is not newest[-1]
        found = json_answer(listing(page, page[-1]["name"] if more else None))
        return found.having(headers={**found.headers, **self.headers})
