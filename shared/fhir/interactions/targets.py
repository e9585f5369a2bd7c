"""What the references between a transaction's entries, and to what its conditions find, turn into."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.errors import ConsiliumError, PreconditionFailed
from shared.fhir.http import form
from shared.fhir.interactions.planning import Planned
from shared.fhir.references import absolute_references, conditional_references
from shared.fhir.search import matches
from shared.unit_of_work import UnitOfWork


def targets_of(plans: Iterable[Planned]) -> dict[str, str]:
    """What each fullUrl turns into."""
    targets: dict[str, str] = {}
    for plan in plans:
        full_url = plan.entry.full_url
        if full_url and plan.entry.method != "DELETE":
            targets[full_url] = f"{plan.type}/{plan.id}"
            if (plan.entry.method == "POST" or plan.matched is not None) and not full_url.startswith("urn:"):
                # a relative reference to such an entry is resolved against its fullUrl (bundle.html#references)
                targets["/".join(full_url.rsplit("/", 2)[-2:])] = f"{plan.type}/{plan.id}"
    return targets


def own_targets(plans: Iterable[Planned], base: str) -> dict[str, str]:
    """What each absolute reference to this server turns into, unless it is the fullUrl of an entry."""
    return {
        holder["reference"]: relative
        for plan in plans
        for holder, relative in absolute_references(plan.entry.resource, base)
    }


async def versions_of(work: UnitOfWork, plans: Iterable[Planned]) -> dict[str, int]:
    """``Type/id`` -> the version that will be current after the transaction."""
    versions: dict[str, int] = {}
    for plan in plans:
        if plan.found is not None:
            versions[f"{plan.type}/{plan.id}"] = plan.found.version
        elif plan.entry.method == "POST" or plan.new:
            versions[f"{plan.type}/{plan.id}"] = 1
        elif plan.entry.method != "DELETE":
            stored = await work.load(plan.type, plan.id)
            versions[f"{plan.type}/{plan.id}"] = 1 if stored is None else stored.version + 1
    return versions


class ConditionalReferences:
    """The conditional references of a transaction (``Patient?identifier=...``).

    They are resolved last (http://hl7.org/fhir/R4/http.html#trules, step 5): they find what the transaction makes."""

    def __init__(self, work: UnitOfWork, plans: Iterable[Planned], base: str) -> None:
        self._work = work
        self._base = base
        self._entries: dict[str, int] = {}
        """Reference -> the first entry that holds it."""
        self.targets: dict[str, str] = {}
        for plan in plans:
            for reference in conditional_references(plan.entry.resource):
                self._entries.setdefault(reference, plan.entry.number)

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def open(self) -> set[str]:
        """Those that nothing matches yet."""
        return self._entries.keys() - self.targets.keys()

    async def resolve(self) -> bool:
        """Look for the targets of those that are open, also among what is staged. Whether any was found.

        Raises ``PreconditionFailed`` where several match."""
        before = len(self.targets)
        if self.open:
            await self._work.flush()
        for reference in [each for each in self._entries if each not in self.targets]:
            found = await self._found(reference)
            if found:
                self.targets[reference] = found[0]
        return len(self.targets) > before

    async def require_still(self, written: Iterable[Planned]) -> None:
        """Raises ``PreconditionFailed`` where what was written matches, too."""
        types = {plan.type for plan in written if plan.found is None}
        doubtful = [each for each in self.targets if each.partition("?")[0] in types]
        if doubtful:
            await self._work.flush()
        for reference in doubtful:
            if await self._found(reference) != [self.targets[reference]]:
                raise self.unresolved(reference)

    def unresolved(self, reference: str) -> PreconditionFailed:
        """The error of one that does not match exactly one."""
        where = (f"Bundle.entry[{self._entries[reference]}].resource",)
        return PreconditionFailed("A conditional reference must match exactly one resource.", expression=where)

    def first_open(self) -> str:
        """The open one that stands first."""
        return next(each for each in self._entries if each not in self.targets)

    async def _found(self, reference: str) -> list[str]:
        type_, _, criteria = reference.partition("?")
        where = (f"Bundle.entry[{self._entries[reference]}].resource",)
        if type_ not in self._work.engine.kinds:
            raise PreconditionFailed("A conditional reference names a type of another service.", expression=where)
        # on the connection that this work may hold already: asking the pool for a second one, many at once, locks up
        connection, access = await self._work.connection(), self._work.access
        try:
            found = await matches(connection, type_, form(criteria), base=self._base, access=access, limit=2)
        except ConsiliumError as error:
            error.issues = tuple(replace(issue, expression=where) for issue in error.issues)
            raise
        if len(found) > 1:
            raise self.unresolved(reference)
        return [f"{type_}/{stored.id}" for stored in found]


def refers_to_open(resource: object, still_open: Mapping[str, object] | set[str]) -> bool:
    """Whether ``resource`` holds one of the references that are still open."""
    return any(reference in still_open for reference in conditional_references(resource))
