"""What a form changed, before and after, as the audit trail keeps it."""

from __future__ import annotations

from typing import Any

from django.db import models

from surveys.models.audit import recorded


class Trace:
    """Collects the changes of one form and of the rows below it.

    Values of the fields in `unrecorded` stay out: only that they changed is kept.
    """

    def __init__(self, unrecorded: frozenset[str] = frozenset()):
        self.unrecorded = unrecorded
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    def form(self, form, of: str = "") -> None:
        """Fields of the model, and those that the form has filled in as it were one."""
        own = {field.name for field in form.instance._meta.get_fields()} | set(form.initial)
        for name in form.changed_data:
            if name in form.cleaned_data and name in own:
                key = f"{of}: {name}" if of else name
                self.before[key] = self._value(name, form.initial.get(name))
                self.after[key] = self._value(name, form.cleaned_data[name])

    def rows(self, formset) -> None:
        """Rows that were added, changed or deleted, with what they say now and said before."""
        name = str(formset.model._meta.verbose_name)
        groups = {
            "added": formset.new_objects,
            "changed": [row for row, _ in formset.changed_objects],
            "deleted": formset.deleted_objects,
        }
        for what, rows in groups.items():
            if rows:
                self.after[f"{what} {name}"] = ", ".join(map(str, rows))
        for row in formset.deleted_objects:
            said = self.whole(row)
            self.before |= {f"{name} {row}: {field}": value for field, value in said.items()}
        for form in formset.forms:
            if form.instance in groups["changed"]:
                self.form(form, of=f"{name} {form.instance}")

    def whole(self, row: models.Model) -> dict[str, Any]:
        """All that a person had entered of it."""
        values = {
            field.name: getattr(row, field.name)
            for field in row._meta.concrete_fields
            if field.editable and not field.primary_key
        }
        return {
            name: self._value(name, value)
            for name, value in values.items()
            if value not in (None, "") or name == "name"
        }

    def _value(self, name: str, value: object) -> object:
        return recorded(value, name in self.unrecorded)
