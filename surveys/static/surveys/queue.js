// The queue by single keys. Each does what a link, a button or a field of the page does, so that
// nothing needs them; who speaks to the computer can switch them off (WCAG 2.1.4).
const OFF = "voc-keys-off";

function isOff() {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // no storage: they stay as they are
  }
}

function switchOff(off) {
  try {
    localStorage.setItem(OFF, off ? "yes" : "no");
  } catch {
    // it holds for no longer than this page then
  }
}

const rows = () => [...document.querySelectorAll("#result_list tr.data-row")];
const linkOf = (row) => row.querySelector("th a, td a");
const current = () => document.activeElement?.closest?.("#result_list tr.data-row");

function move(step) {
  const all = rows();
  const at = all.indexOf(current());
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
  const row = all[Math.min(Math.max(next, 0), all.length - 1)];
  if (!row) return;
  linkOf(row).focus();
  row.scrollIntoView({ block: "nearest" });
}

function assign() {
  const chosen = document.querySelector("input.action-select:checked");
  if (!chosen) current()?.querySelector("input.action-select")?.click();
  const select = document.querySelector("#changelist-form select[name=action]");
  if (!select || !document.querySelector("input.action-select:checked")) return;
  select.value = "assign_chosen";
  const form = document.getElementById("changelist-form");
  form.requestSubmit(form.querySelector("button[name=index]"));
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  t: () => current()?.querySelector(".voc-take")?.click(),
  x: () => current()?.querySelector("input.action-select")?.click(),
  a: assign,
  f: () => document.querySelector(".voc-filters")?.click(),
  "?": () => document.getElementById("voc-keys").showModal(),
};
for (let n = 1; n <= 9; n++) {
  keys[n] = () => document.querySelectorAll(".voc-tabs a")[n - 1]?.click();
}

function isTyping(target) {
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox])");
}

addEventListener("keydown", (event) => {
  const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
  if (!isPlain || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const does = Object.hasOwn(keys, event.key) && keys[event.key];
  if (!does || isOff()) return;
  event.preventDefault();
  does();
});

// The sheet of filters stands at the end of the page: whoever opens it by a key is led there.
function leadIntoFilters(button) {
  const sheet = document.getElementById("changelist-filter");
  const fields = () => [...sheet.querySelectorAll("select, input, button, .select2-selection")];
  const first = () => fields().find((field) => field.offsetParent && field.tabIndex >= 0);
  button.addEventListener("click", () => setTimeout(() => first()?.focus(), 50));
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") button.focus();
  });
}

addEventListener("DOMContentLoaded", () => {
  const filters = document.querySelector(".voc-filters");
  if (filters) leadIntoFilters(filters);
  const dialog = document.getElementById("voc-keys");
  if (!dialog) return;
  const box = document.getElementById("voc-keys-off");
  box.checked = isOff();
  box.addEventListener("change", () => switchOff(box.checked));
  const button = document.querySelector("[data-open=voc-keys]");
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
});
