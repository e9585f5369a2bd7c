"""An import-linter contract: modules that may import the standard library, themselves, and a short list of ours.

import-linter can forbid what it is told of; a domain is better described by the little that it may know.
"""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class AllowListContract(Contract):
    """Options: ``modules`` (expressions such as ``services.*.domain``), ``allowed`` (modules, sub-modules included)."""

    type_name = "allow_list"

    modules = fields.SetField(subfield=fields.ModuleExpressionField())
    allowed = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Broken where a module imports, directly, what is neither its own package's, the library's, nor allowed."""
        strays: list[tuple[str, str]] = []
        # a field holds its parsed value once the contract is made; its type says otherwise
        modules: set[ModuleExpression] = self.modules  # type: ignore[assignment]
        for package in sorted(module.name for module in module_expressions_to_modules(graph, modules)):
            for module in sorted({package} | graph.find_descendants(package)):
                strays += [
                    (module, imported)
                    for imported in sorted(graph.find_modules_directly_imported_by(module))
                    if not self._may(package, imported)
                ]
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Lists the imports."""
        for module, imported in check.metadata["strays"]:
            output.print_error(f"- {module} imports {imported}")

    def _may(self, package: str, imported: str) -> bool:
        if imported.partition(".")[0] in sys.stdlib_module_names:
            return True
        allowed: set[str] = self.allowed  # type: ignore[assignment]  # as above
        return any(imported == name or imported.startswith(name + ".") for name in (package, *allowed))
