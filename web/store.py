"""MongoDB as the API reads it: from the event loop without blocking it, some queries at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.asynchronous.database import AsyncDatabase

from config import Settings
from sinks.base import Document
from sinks.mongo import connect_async

#: Queries under way at once; more wait. They share the loop, and MongoDB, with the agents.
MOST_QUERIES = 8
#: Longest time that MongoDB may work on one query, in milliseconds.
LONGEST_QUERY_MS = 5_000
#: Documents decoded in one go, between which the agents get their turn.
BATCH = 200


class Store:
    """Reads documents. It connects when first asked.

    Args:
        settings: where MongoDB is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = connect_async(settings)
        self._turns = asyncio.Semaphore(MOST_QUERIES)

    @property
    def database(self) -> AsyncDatabase[Document]:
        """The program's database."""
        return self._client.get_database(
            self._settings.mongodb_database, codec_options=CodecOptions(tz_aware=True)
        )

    async def find(
        self,
        collection: str,
        where: Document,
        *,
        sort: Sequence[tuple[str, int]],
        limit: int,
        fields: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        """Return at most ``limit`` documents.

        Raises:
            PyMongoError: MongoDB does not answer in time.
        """
        async with self._turns:
            cursor = self.database[collection].find(
                where,
                fields,
                sort=sort,
                limit=limit,
                batch_size=BATCH,
                max_time_ms=LONGEST_QUERY_MS,
            )
            return await _gently(cursor)

    async def aggregate(self, collection: str, pipeline: list[Document]) -> list[Document]:
        """Return what a pipeline brings; it must bound its own length."""
        async with self._turns:
            cursor = await self.database[collection].aggregate(
                pipeline, batchSize=BATCH, maxTimeMS=LONGEST_QUERY_MS
            )
            return await _gently(cursor)

    async def distinct(self, collection: str, field: str, where: Document) -> list[str]:
        """Return the values of an indexed field, sorted."""
        async with self._turns:
            found = await self.database[collection].distinct(
                field, where, maxTimeMS=LONGEST_QUERY_MS
            )
        return sorted(value for value in found if isinstance(value, str))

    async def ping(self) -> None:
        """Return once a MongoDB that takes writes has answered.

        Raises:
            PyMongoError: none does in time.
        """
        await self.database.command("ping")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


async def _gently(cursor: Any) -> list[Document]:
    """Return a cursor's documents, batch by batch."""
    async with cursor:
        found: list[Document] = []
        while cursor.alive:
            batch = await cursor.to_list(BATCH)
            if not batch:
                break
            found += batch
            await asyncio.sleep(0)
    return found
