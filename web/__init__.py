"""What a worker shows over HTTP: the live page, the API behind it, and a look into the tables.

Everything hangs on Faust's own web server (aiohttp), so a worker has one port. Any worker serves
all tickers, because answers come from MongoDB; only the tables are a worker's own, and questions
about a key are passed on to its owner.

``server`` puts it together, ``guard`` decides who may ask. ``prices``, ``texts`` and ``outlook``
answer, ``changes`` follows MongoDB's change stream, ``stream`` hands it to browsers, ``tables``
looks into the tables; ``static/`` is the page.
"""
