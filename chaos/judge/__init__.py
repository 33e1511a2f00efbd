"""Says whether Kafka and MongoDB hold exactly what they must, after what was sent.

``log`` reads the topics, ``expected`` works out the documents that must be there, ``reference`` the
indicators, ``compare``, ``letters`` and ``trends`` lay both side by side, ``verdict`` puts it
together. All of it follows the program's documentation and none of its code.
"""

from chaos.judge.verdict import Case, Finding, judge, judge_trends

__all__ = ["Case", "Finding", "judge", "judge_trends"]
