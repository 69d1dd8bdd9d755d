// The tests: by class, a row each, details when a row is opened.
const tests = {
  list: document.getElementById("list"),
  rows: new Map(),
  filter: "all",
  query: "",
  found: null,
  CHUNK: 40,

  start() {
    this.slowest = Math.max(...model.tests.map((test) => test.seconds || 0), 0.001);
    this.groups = [...groupBy(model.tests, (test) => test.suite)].map(([suite, members]) => this.group(suite, members));
    this.list.replaceChildren(...this.groups.map((group) => group.box));
    if (!model.tests.length) this.list.append(el("p", { class: "muted" }, "No test ran."));
    this.makeFilters();
  },

  group(suite, members) {
    const bad = members.filter((test) => BAD.has(test.outcome)).length;
    const seconds = members.reduce((sum, test) => sum + (test.seconds || 0), 0);
    const side = el("span", { class: "side" });
    if (bad) side.append(el("span", { class: "bad" }, `${number(bad)} failed`), " · ");
    side.append(`${plural(members.length, "test")} · ${duration(seconds)}`);
    const box = el("details", { class: "suite" }, el("summary", {}, el("span", { class: "name" }, breakable(suite)), side));
    const group = { suite, members, box, bad, filled: false };
    box.addEventListener("toggle", () => { if (box.open) this.fill(group); });
    if (bad || model.tests.length <= this.CHUNK) { box.open = true; this.fill(group); }
    return group;
  },

  // The rows of a class: those that match now.
  fill(group) {
    for (const old of group.box.querySelectorAll(":scope > :not(summary)")) old.remove();
    const shown = group.members.filter((test) => this.matches(test));
    const add = (from) => {
      group.box.append(...shown.slice(from, from + this.CHUNK * 5).map((test) => this.row(test)));
      const rest = shown.length - from - this.CHUNK * 5;
      if (rest <= 0) return;
      const more = el("button", { type: "button", class: "quiet more" }, `Show ${number(rest)} more`);
      more.addEventListener("click", () => { more.remove(); add(from + this.CHUNK * 5); });
      group.box.append(more);
    };
    add(0);
    group.filled = true;
  },

  row(test) {
    let box = this.rows.get(test.id);
    if (box) return box;
    const name = test.name.startsWith(test.suite + ".") ? test.name.slice(test.suite.length + 1) : test.name;
    const commands = commandsOf.get(test.id);
    const button = el("button", { type: "button", class: "row", "aria-expanded": "false" },
      el("span", { class: "mark", "aria-hidden": "true" }, MARKS[test.outcome]),
      el("span", { class: "name" }, breakable(name), el("small", {}, commands ? plural(commands.length, "command") : "")),
      el("span", { class: "tag muted" }, WORDS[test.outcome]),
      el("span", { class: "meter", "aria-hidden": "true" }, this.meter(test)),
      el("span", { class: "time" }, duration(test.seconds)));
    box = el("div", { class: `test ${test.outcome}`, id: `test-${test.id}` }, button);
    button.addEventListener("click", () => this.toggle(test));
    this.rows.set(test.id, box);
    return box;
  },

  meter(test) {
    const bar = el("i");
    bar.style.width = `${(100 * (test.seconds || 0)) / this.slowest}%`;
    return bar;
  },

  toggle(test, open) {
    const box = this.row(test);
    const button = box.firstElementChild;
    const wanted = open === undefined ? box.children.length === 1 : open;
    if (wanted && box.children.length === 1) box.append(this.details(test));
    if (!wanted && box.children.length > 1) box.lastElementChild.remove();
    button.setAttribute("aria-expanded", String(wanted));
  },

  details(test) {
    const parts = el("div", { class: "details" });
    const actions = el("div", { class: "actions" },
      el("button", { type: "button", class: "quiet to-timeline", onclick: () => timeline.follow(test) }, "Show on the timeline"),
      el("button", { type: "button", class: "quiet", onclick: () => { location.hash = `test-${test.id}`; } }, "Link to this test"));
    parts.append(actions);
    const section = (title, ...children) => parts.append(el("div", {}, el("h3", {}, title), children));
    if (test.outcome === "skipped" && test.message) section("Why it was skipped", el("div", {}, test.message));
    else if (test.details || test.message) section("What went wrong", block(test.details || test.message, "the failure", BAD.has(test.outcome) ? "error-text" : ""));
    if (test.outcome === "unfinished") section("What went wrong", el("div", {}, "The run ended before this test did."));
    if (test.subtests) section("Sub-tests", el("ul", { class: "sub" }, test.subtests.map((sub) => this.subtest(sub))));
    for (const name of ["stdout", "stderr"]) if (test[name]) section(name === "stdout" ? "Printed, here and on the hosts" : "Printed on stderr", block(test[name], "what was printed"));
    this.long(section, "Commands", commandsOf.get(test.id) || [], commandLine);
    this.long(section, "Transfers", transfersOf.get(test.id) || [], transferLine);
    const calls = (callsOf.get(test.id) || []).map(callOf);
    if (calls.length) section(`RPyC calls: ${number(calls.reduce((sum, call) => sum + call.count, 0))}`, callTable(calls));
    return parts;
  },

  long(section, title, items, make) {
    if (!items.length) return;
    const holder = el("div");
    const add = (from) => {
      holder.append(...items.slice(from, from + this.CHUNK).map(make));
      const rest = items.length - from - this.CHUNK;
      if (rest <= 0) return;
      const more = el("button", { type: "button", class: "quiet more" }, `Show ${number(rest)} more`);
      more.addEventListener("click", () => { more.remove(); add(from + this.CHUNK); });
      holder.append(more);
    };
    add(0);
    section(title, holder);
  },

  subtest(sub) {
    return el("li", { class: sub.outcome }, el("span", { class: "mark" }, MARKS[sub.outcome]), ` ${sub.name} `,
      el("span", { class: "muted" }, duration(sub.seconds)), BAD.has(sub.outcome) && sub.message ? el("div", { class: "bad mono" }, sub.message) : "");
  },

  // Filters and search

  makeFilters() {
    const count = (test) => model.tests.filter(test).length;
    const kinds = [["all", "All", model.tests.length], ["bad", "Failed", count((test) => BAD.has(test.outcome))],
      ["skipped", "Skipped", count((test) => test.outcome === "skipped")], ["passed", "Passed", count((test) => ["passed", "xfailed"].includes(test.outcome))]];
    this.chips = kinds.map(([kind, name, total]) => {
      const chip = el("button", { type: "button", class: "chip", "data-kind": kind }, `${name} `, el("b", {}, number(total)));
      chip.addEventListener("click", () => { this.filter = kind; this.show(); });
      return chip;
    });
    document.getElementById("filters").replaceChildren(...this.chips);
    this.markChips();
  },

  markChips() {
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.dataset.kind === this.filter));
  },

  matches(test) {
    const kind = this.filter === "all" || (this.filter === "bad" ? BAD.has(test.outcome)
      : this.filter === "passed" ? ["passed", "xfailed"].includes(test.outcome) : test.outcome === this.filter);
    return kind && (this.found === null || this.found.has(test.id));
  },

  // Show what the filter and the search leave; `found` are the numbers of the tests that were found, null for all.
  show() {
    this.markChips();
    const narrowed = this.found !== null || this.filter !== "all";
    for (const group of this.groups) {
      const some = group.members.some((test) => this.matches(test));
      group.box.hidden = !some;
      if (narrowed && some) group.box.open = true;
      if (group.box.open) this.fill(group);
    }
  },

  open(test) {
    const group = this.groups.find((one) => one.suite === test.suite);
    if (!this.matches(test)) { this.filter = "all"; search.clear(); this.show(); }
    group.box.open = true;
    this.fill(group);
    if (!group.box.contains(this.row(test))) group.box.querySelector("summary").after(this.row(test));
    this.toggle(test, true);
    this.row(test).scrollIntoView({ block: "start" });
    this.row(test).firstElementChild.focus({ preventScroll: true });
  },
};

function transferLine(one) {
  return el("div", { class: `cmd${one.error ? " bad" : ""}` }, el("div", { class: "line" },
    el("span", { class: "host" }, model.texts[one.place]), el("span", { class: "text" }, `${one.direction}  ${one.source} → ${one.target}`),
    el("span", { class: "end" }, duration(one.seconds))), one.error ? el("pre", { class: "error-text" }, one.error) : "");
}

// Calls by name: how often, how long; the ten that took longest.
function callTable(calls) {
  const byName = [...groupBy(calls, (call) => `${call.place}:${call.instance}  ${call.what}`)].map(([name, some]) => {
    const error = some.find((call) => call.error);
    return { name, count: some.reduce((sum, call) => sum + call.count, 0), seconds: some.reduce((sum, call) => sum + (call.seconds || 0), 0),
      error: error ? error.error : "", open: some.some((call) => call.seconds === null) };
  }).sort((a, b) => b.open - a.open || b.seconds - a.seconds);
  const list = el("ul", { class: "sub" }, byName.slice(0, 10).map((one) => el("li", {}, el("code", {}, one.name),
    el("span", { class: "muted" }, one.open ? "  no answer came" : `  ${one.count > 1 ? `×${number(one.count)}, ` : ""}${duration(one.seconds)}`),
    one.error ? el("span", { class: "bad" }, `  ${one.error}`) : "")));
  if (byName.length > 10) list.append(el("li", { class: "muted" }, `and ${number(byName.length - 10)} more`));
  return list;
}
