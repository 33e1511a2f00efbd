"""Whether a text is about a ticker: by cashtag, by the ticker itself, or by the company's name.

=========================  ==================================================================
``$AAPL``, ``$aapl``       always; ``$A`` is not in ``$AAPL``, and ``$BRK`` is not in ``$BRK.B``
``$BRK.B``, ``$BRK-B``     are the same, and so is ``$BRK/B``
``AAPL``                   in capitals, from three letters on, and not if it is a word (``NOW``)
``Apple``, ``APPLE``       a name of one word with a capital: what is written small is a fruit
``goldman sachs``          a name of several words in any case
``Target Corp``            a name that is a common word only with the company's legal form
=========================  ==================================================================

Mistakes remain (a text about the Apple of one's eye counts); they cost a wrong text now and then,
where guessing from context would cost an explanation for every text.

`PostReader` is how sources of posts, whose libraries block, read ticker after ticker.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from errors import SourceUnavailable
from models import SocialPost

log = logging.getLogger(__name__)

#: Reads the new posts about one ticker.
ReadOne = Callable[[str], list[SocialPost]]

#: Letters of posts after which a turn ends, and the next one begins with the next ticker.
MOST_LETTERS = 20_000_000

#: Tickers that are words or everyday abbreviations: in capitals they say nothing yet.
WORD_TICKERS = frozenset(
    """
    AGO AI ALL ALLY AM AN AND ANY APP APPS ARE AS ASK AT ATH BACK BALL BE BEST BID BIG BILL BIO BIT
    BITE BOOM BOOT BOX BRO BULL BUY BY CAKE CALL CALM CAN CAR CARE CARS CASH CAT CEO CFO COIN COKE
    COLD COOK COOL COST CPI CUBE DAY DD DIP DO DOW DUDE EAT ELSE EPS ETF EVER EYE FAST FAT FBI FED
    FIVE FLOW FLY FOMO FOR FORM FREE FUN FUND FYI GAIN GAME GDP GET GLAD GO GOLD GOOD GROW HAS HE
    HEAR HIMS HOLD HOME HOOD HOPE HOT HUGE HUT ICE IMO INFO IPO IQ IRS IS IT JACK JOB JOBS JUST KEY
    KIDS KING KNOW LAND LAW LAZY LIFE LIKE LINE LIVE LOAN LOL LOVE LOW LUNG MAIN MAN MARK MAX ME
    MEN MIND MOD MOON MOVE NET NEW NEWS NEXT NICE NOTE NOW OIL OLD ON ONE OPEN OR OTC OUT PAY PEAK
    PER PLAN PLAY PLUS POOL POST PUMP PUT REAL RIDE RIG ROAD ROCK ROOT RUN SAFE SAIL SALE SAVE SEC
    SEE SELL SHOP SITE SIX SKIN SKY SNAP SO SPOT STAY STEP SUN SWIM TA TALK TAP TEAM TECH TELL TEN
    TOP TRUE TURN TV TWO UK UNIT USA USD VERY WASH WAY WELL WEN WHEN WISH WOLF WOOD WORK WOW WSB
    YES YOLO YOU YOUR ZIP
    """.split()  # noqa: SIM905 - as a list it would have 100 lines
)

#: Company names that are common words also with a capital, at the start of a sentence.
WORD_NAMES = frozenset(
    """
    ally amplify assurant best block boot box bumble carnival chase citizens coach compass crown
    discover dollar eagle enact equity evolution express focus fortune fox gap global grab green
    guess host hub key laboratory life lemonade link live marathon match mosaic national news nice
    old omega one open otter pilgrim pool progress progressive public rapid range regions root
    select sharp shell simply snap southern spire square star target the toast trade travelers
    unity upstart vale waters west wolf
    """.split()  # noqa: SIM905 - as a list it would have 100 lines
)

_LEGAL_WORDS = (
    r"inc(?:orporated)?|corp(?:oration)?|co(?:mpany)?|companies|l(?:td|imited)|plc|llc|lp|"
    r"s\.?\s?a|ag|se|n\.?v|holdings?|group|trust"
)
_LEGAL_FORM = rf",?\s+(?:{_LEGAL_WORDS})(?!\w)"
_TAIL = re.compile(
    rf"(?:[\s,]+(?:&|and|the|\(the\)|{_LEGAL_WORDS}|class\s+[a-c]|common\s+stock|"
    r"ordinary\s+shares?|adr|ads)\.?|\.com)$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^the\s+", re.IGNORECASE)

#: What follows a ticker if it goes on: a share class, as in ``BRK.B``.
_NO_SHARE_CLASS = r"(?![.\-/][A-Za-z](?![A-Za-z0-9]))"
#: Indices, currencies, futures and coins have marks of Yahoo's that nobody writes.
_MARKS = re.compile(r"^\^|=[XF]$|(?<=[A-Z0-9])-(?:USD|USDT|EUR)$")

_LONGEST_NAME = 100


def matches(text: str, ticker: str, company_name: str = "") -> bool:
    """Return whether ``text`` is about ``ticker``, by the rules above.

    Args:
        text: what was written.
        ticker: as everywhere in this program (``AAPL``, ``BRK-B``, ``^GSPC``, ``BTC-USD``).
        company_name: the company's name, with or without its legal form; none if not known.

    >>> matches("Sold my $AAPL.", "AAPL"), matches("Sold my $AAPL.", "A")
    (True, False)
    >>> matches("Apple's best quarter", "AAPL", "Apple Inc."), matches("an apple a day", "AAPL", "Apple Inc.")
    (True, False)
    """  # noqa: E501 - a doctest's line
    return any(pattern.search(text) for pattern in _patterns(ticker, company_name))


def mentioned(text: str, company_names: Mapping[str, str]) -> list[str]:
    """Return the tickers that ``text`` is about, in the order of ``company_names``.

    Args:
        text: what was written.
        company_names: per ticker the company's name, empty where it is not known.

    >>> mentioned("$MSFT beats Apple", {"AAPL": "Apple Inc.", "IBM": "", "MSFT": "Microsoft"})
    ['AAPL', 'MSFT']
    """
    return [ticker for ticker, name in company_names.items() if matches(text, ticker, name)]


def short_name(company_name: str) -> str:
    """Return a company's name as people write it.

    >>> short_name("The Goldman Sachs Group, Inc."), short_name("Amazon.com, Inc.")
    ('Goldman Sachs', 'Amazon')
    """
    name = " ".join(company_name.split())[:_LONGEST_NAME]
    shorter = _HEAD.sub("", name)
    while (cut := _TAIL.sub("", shorter)) and cut != shorter:
        shorter = cut.rstrip(" ,")
    return shorter or name


def search_terms(ticker: str, company_name: str = "") -> list[str]:
    """Return what to search for at a provider: the cashtag, and the name if there is one.

    A name that is a common word is searched with its legal form, and not at all without one.

    >>> search_terms("AAPL", "Apple Inc."), search_terms("BRK-B"), search_terms("SNAP", "Snap")
    (['$AAPL', 'Apple'], ['$BRK.B'], ['$SNAP'])
    """
    terms = [f"${symbol(ticker)}"]
    name = short_name(company_name)
    if name.lower() in WORD_NAMES:
        name = company_name if name != company_name else ""
    name = " ".join(re.sub(r'[",()\\]', " ", name).split())
    return [*terms, name] if name else terms


def symbol(ticker: str) -> str:
    """Return a ticker as people write it after a ``$``.

    >>> symbol("BRK-B"), symbol("^GSPC"), symbol("EURUSD=X"), symbol("BTC-USD")
    ('BRK.B', 'GSPC', 'EURUSD', 'BTC')
    """
    return _MARKS.sub("", _MARKS.sub("", ticker)).replace("-", ".")


def needs_check(ticker: str) -> bool:
    """Return whether a search that overlooks the ``$`` finds mostly texts about something else.

    So it is for short tickers (``A``, ``CAT``) and for words.
    """
    plain = symbol(ticker)
    return len(plain) < 4 or plain in WORD_TICKERS


@lru_cache(maxsize=4096)
def _patterns(ticker: str, company_name: str) -> tuple[re.Pattern[str], ...]:
    plain = symbol(ticker)
    written = re.escape(plain).replace(r"\.", r"[.\-/]")
    end = rf"(?![A-Za-z0-9_]){_NO_SHARE_CLASS}"
    # A single small letter after a dollar sign is a variable more often than a share.
    case = re.IGNORECASE if len(plain) > 1 else re.NOFLAG
    found = [re.compile(rf"(?<![\w$])\$\^?{written}{end}", case)]
    if len(plain) >= 3 and plain not in WORD_TICKERS and not plain.isdigit():
        found.append(re.compile(rf"(?<![\w$@.\-/]){written}{end}"))
    name = short_name(company_name)
    if name:
        found.append(_name_pattern(name))
    return tuple(found)


def _name_pattern(name: str) -> re.Pattern[str]:
    words = name.split()
    if len(words) > 1:
        phrase = r"\s+".join(map(re.escape, words))
        return re.compile(rf"(?<!\w){phrase}(?!\w)", re.IGNORECASE)
    if name.lower() in WORD_NAMES:
        return re.compile(rf"(?<!\w){re.escape(name)}{_LEGAL_FORM}", re.IGNORECASE)
    forms = sorted({name, name.capitalize(), name.upper()} - {name.lower()} or {name})
    either = "|".join(map(re.escape, forms))
    return re.compile(rf"(?<![\w$@])(?:{either})(?!\w)")


class PostReader:
    """Reads posts of one ticker after the other in a thread, within a time limit.

    What was read is not thrown away because the next ticker fails, or takes too long: it may have
    cost money. The next turn begins after the ticker at fault, so that each gets its turn.

    One thread reads at a time, as the libraries want it, and one that was given up may still wait
    for its answer.

    Args:
        name: the source's name, for messages.
        timeout_s: longest turn, in seconds.
    """

    def __init__(self, name: str, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._reading = threading.Lock()
        self._begin_with: str | None = None
        self._last_warning = ""
        # Threads of its own: calls that hang must not take those that others need.
        self._pool: ThreadPoolExecutor | None = None

    async def read(
        self, keys: Sequence[str], prepare: Callable[[threading.Event], ReadOne]
    ) -> list[SocialPost]:
        """Return what is new of each of ``keys``, each post of a key once, by time.

        Args:
            keys: tickers.
            prepare: called first, in the thread, with an event that says that nobody waits any
                more; returns what reads one ticker.

        Raises:
            SourceUnavailable: nothing could be read.
        """
        given_up = threading.Event()
        found: dict[str, list[SocialPost]] = {}
        if self._pool is None:
            # One that reads, and one that waits for it.
            self._pool = ThreadPoolExecutor(2, thread_name_prefix=self._name)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                await loop.run_in_executor(
                    self._pool, self._read, list(keys), prepare, found, given_up
                )
        except TimeoutError:
            if not found:
                raise SourceUnavailable(
                    f"{self._name}: no complete answer within {self._timeout_s:g} s"
                ) from None
        finally:
            given_up.set()
        return [post for key in keys for post in found.get(key, ())]

    def close(self) -> None:
        """Give up the threads; a later turn has new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _read(
        self,
        keys: list[str],
        prepare: Callable[[threading.Event], ReadOne],
        found: dict[str, list[SocialPost]],
        given_up: threading.Event,
    ) -> None:
        if not self._reading.acquire(timeout=self._timeout_s):
            raise SourceUnavailable(f"{self._name}: an earlier request is still waiting")
        try:
            read_one = prepare(given_up)
            first = keys.index(self._begin_with) if self._begin_with in keys else 0
            letters = 0
            for key in keys[first:] + keys[:first]:
                # Should it take too long, or fail.
                self._begin_with = keys[(keys.index(key) + 1) % len(keys)]
                try:
                    posts = {post.id: post for post in read_one(key)}
                except SourceUnavailable as error:
                    if not found:
                        raise
                    self._warn(f"{error}; {len(found)} of {len(keys)} tickers were read")
                    return
                found[key] = sorted(posts.values(), key=lambda post: (post.time, post.id))
                letters += sum(len(post.text) for post in found[key])
                if letters > MOST_LETTERS:
                    return
            self._begin_with = None
        finally:
            self._reading.release()

    def _warn(self, message: str) -> None:
        # Once, not with every turn: a search that is refused is always refused.
        level = logging.DEBUG if message == self._last_warning else logging.WARNING
        self._last_warning = message
        log.log(level, "%s", message)
