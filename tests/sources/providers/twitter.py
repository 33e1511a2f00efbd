"""Answers as X, formerly Twitter, does to a search of the last seven days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.sources.providers.server import Answer, LocalServer, Request, json_answer

SEARCH = "/2/tweets/search/recent"

#: What must not appear in any message.
TOKEN = "bearer-token-of-mine"  # noqa: S105 - none

_FIRST_MS = 1_288_834_974_657


def number(ms: int, serial: int = 0) -> int:
    """The number that a post written at ``ms`` gets."""
    return (ms - _FIRST_MS) << 22 | serial


def iso(ms: int) -> str:
    """A time as X writes it, which has whole seconds only."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def tweet(ms: int, text: str = "$AAPL is up", serial: int = 0, **changes: Any) -> dict[str, Any]:
    """A post as X returns it."""
    return {
        "id": str(number(ms, serial)),
        "text": text,
        "created_at": iso(ms),
        "author_id": "2244994945",
        "edit_history_tweet_ids": [str(number(ms, serial))],
        "public_metrics": {
            "retweet_count": 7,
            "reply_count": 3,
            "like_count": 38,
            "quote_count": 1,
            "bookmark_count": 100,
            "impression_count": 9000,
        },
        **changes,
    }


def problem(status: int, title: str, detail: str, **headers: str) -> Answer:
    """An error as X reports most of them."""
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return json_answer(body, status, **headers)


class TwitterServer(LocalServer):
    """Has posts, newest first; a search finds all of them, unless ``searching``.

    Attributes:
        posts: all of them.
        searching: whether only posts are found that have the cashtag of the search.
    """

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.searching = False

    def answer(self, request: Request) -> Answer:
        if request.path != SEARCH:
            return problem(404, "Not Found", "Not Found")
        posts = self.posts
        if self.searching:
            cashtag = request.value("query").lstrip("(").partition(")")[0].partition(" ")[0]
            posts = [post for post in posts if cashtag in post["text"].split()]
        newest = sorted(posts, key=lambda post: -int(post["id"]))
        since_id, start = request.value("since_id"), request.value("start_time")
        if since_id:
            newest = [post for post in newest if int(post["id"]) > int(since_id)]
        elif start:
            newest = [post for post in newest if post["created_at"][:19] >= start[:19]]
        first = int(request.value("next_token") or "0")
        asked = int(request.value("max_results", "10"))
        page = newest[first : first + asked]
        if not page:
            return json_answer({"meta": {"result_count": 0}})
        meta: dict[str, Any] = {
            "newest_id": page[0]["id"],
            "oldest_id": page[-1]["id"],
            "result_count": len(page),
        }
        if first + asked < len(newest):
            meta["next_token"] = str(first + asked)
        answer: dict[str, Any] = {"data": page, "meta": meta}
        if "author_id" in request.value("expansions"):
            user = {"id": "2244994945", "name": "A Trader", "username": "a_trader"}
            answer["includes"] = {"users": [user]}
        else:
            without = [{k: v for k, v in post.items() if k != "author_id"} for post in page]
            answer["data"] = without
        return json_answer(answer)
