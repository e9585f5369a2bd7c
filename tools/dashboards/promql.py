"""PromQL that many panels share."""


def quantiles(series: str, by: str, *chosen: float, within: str = "") -> tuple[tuple[str, str], ...]:
    """One query per quantile of a histogram; ``by`` is shown in the legend."""
    labels = f"{by}, le" if by else "le"
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(",") if label)
    return tuple(
        (
            f"{legend} p{round(part * 100)}".strip(),
            f"histogram_quantile({part}, sum by ({labels}) (rate({series}_bucket{{{within}}}[$__rate_interval])))",
        )
        for part in chosen
    )


def rate(series: str, by: str, within: str = "") -> str:
    """Events per second."""
    return f"sum by ({by}) (rate({series}{{{within}}}[$__rate_interval]))"


def latest(series: str, by: str, within: str = "") -> str:
    """A level that several processes measure alike."""
    return f"max by ({by}) ({series}{{{within}}})"


def increase(series: str, by: str, within: str = "", over: str = "1h") -> str:
    """Events in ``over``."""
    return f"sum by ({by}) (increase({series}{{{within}}}[{over}]))"


def most(series: str, by: str) -> str:
    """Events per second, of what several processes read from the same place."""
    return f"max by ({by}) (rate({series}[$__rate_interval]))"
