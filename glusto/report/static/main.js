// The page: headline, glance, hosts, the run itself; search; links into it.
const SHOWN_FAILURES = 6, SEARCH_PAUSE = 120;
const bad = model.tests.filter((test) => BAD.has(test.outcome));
const firstLine = (text) => (text || "").split("\n").find((line) => line.trim()) || "";

function headline() {
  const { run } = model;
  const total = model.tests.filter((test) => !test.fixture).length;
  const skipped = model.tests.filter((test) => test.outcome === "skipped").length;
  const ran = total - skipped;
  let text, style = "good";
  if (run.killed) { text = bad.length ? `Killed, after ${plural(bad.length, "failure")}` : "Killed before its end"; style = "bad"; }
  else if (run.status === "interrupted") { text = "Interrupted"; style = "warn"; }
  else if (bad.length) { text = bad.every((test) => test.fixture) ? `${plural(bad.length, "fixture")} failed` : `${number(bad.length)} of ${plural(total, "test")} failed`; style = "bad"; }
  else if (!total) { text = "No test ran"; style = "warn"; }
  else if (!["passed", undefined, null].includes(run.status)) { text = { hosts: "Hosts could not be provisioned or cleaned", usage: "The config has a mistake" }[run.status] || "Failed"; style = "bad"; }
  else text = ran === 1 ? "The test passed" : `All ${number(ran)} tests passed`;
  const when = run.time ? new Date(run.time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "";
  const told = [skipped && !bad.length ? `${number(skipped)} skipped` : "", duration(model.seconds), plural(model.hosts.length, "host"),
    plural(model.commands.length, "command"), `${number(model.calls.reduce((sum, call) => sum + call[5], 0))} RPyC calls`, when].filter(Boolean);
  document.title = `${text} – Glusto`;
  document.getElementById("verdict").append(el("h1", { class: style }, text), el("p", {}, told.join(" · ")));
}

function glance() {
  const glance = document.getElementById("glance");
  const worst = 600; // cells; of more tests each cell is several, as bad as the worst of them
  const per = Math.ceil(model.tests.length / worst) || 1;
  const cells = [];
  for (let from = 0; from < model.tests.length; from += per) {
    const some = model.tests.slice(from, from + per);
    const test = some.find((one) => BAD.has(one.outcome)) || some.find((one) => one.outcome !== "skipped") || some[0];
    cells.push(el("i", { class: test.outcome, title: test.name }));
  }
  if (cells.length) glance.append(el("div", { class: cells.length > 150 ? "ribbon many" : "ribbon", role: "img", "aria-label": `${number(bad.length)} of ${number(model.tests.length)} failed` }, cells));
  if (model.run.killed) {
    const last = model.tests.filter((test) => test.outcome === "unfinished").map((test) => test.name).join(", ");
    glance.append(el("p", { class: "notice" }, `The run did not come to its end: it was killed, or it still goes on. ${last ? `${last} was running.` : ""}`));
  }
  if (!bad.length) return;
  glance.append(el("ul", { class: "failures" }, bad.slice(0, SHOWN_FAILURES).map((test) => el("li", {},
    el("a", { class: "name", href: `#test-${test.id}` }, breakable(test.name)),
    el("span", { class: "why" }, firstLine(test.message) || WORDS[test.outcome]),
    el("span", { class: "links" }, el("a", { class: "follow", href: `#at-${test.id}`, "aria-label": `${test.name} on the timeline` }, "On the timeline"))))));
  if (bad.length > SHOWN_FAILURES) {
    const all = el("button", { type: "button", class: "quiet more" }, `Show all ${number(bad.length)} that failed`);
    all.addEventListener("click", () => { tests.filter = "bad"; tests.show(); document.getElementById("tests").scrollIntoView(); });
    glance.append(all);
  }
}

function hostCards() {
  const count = new Map();
  for (const command of model.commands) {
    const name = hostOf(model.texts[command.place]);
    const known = count.get(name) || { commands: 0, failed: 0, calls: 0 };
    known.commands++;
    if (command.seconds !== undefined && command.returncode !== 0) known.failed++;
    count.set(name, known);
  }
  for (const call of model.calls) {
    const name = hostOf(model.texts[call[2]]);
    const known = count.get(name) || { commands: 0, failed: 0, calls: 0 };
    known.calls += call[5];
    count.set(name, known);
  }
  const cards = model.hosts.map((host) => {
    const facts = Object.values(host.facts)[0] || {};
    const opened = host.opened.filter((one) => one.seconds !== undefined && !one.error);
    const failed = host.opened.filter((one) => one.error);
    const done = count.get(host.name) || { commands: 0, failed: 0, calls: 0 };
    const address = host.opened.length && host.opened[0].address !== host.name ? host.opened[0].address : "";
    const rows = [["Address", address], ["Hostname", facts.hostname], ["System", facts.system], ["Python", facts.python && `${facts.python} (${facts.executable})`],
      ["As", host.places.join(", ")], ["Connected in", opened.length ? opened.slice(0, 6).map((one) => `${duration(one.seconds)} as ${one.place.split("@")[0]}`).join(", ") : ""],
      ["Commands", done.commands ? `${number(done.commands)}${done.failed ? `, ${number(done.failed)} returned non-zero` : ""}` : ""], ["RPyC calls", done.calls ? number(done.calls) : ""]];
    const troubles = [...failed.map((one) => `${one.place}: ${one.error}`), ...host.troubles.map((one) => `${one.place}: ${one.why} (at ${one.t.toFixed(2)} s)`)];
    return el("article", { class: `card${troubles.length ? " bad" : ""}` }, el("h3", {}, host.name || "controller"),
      el("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      troubles.length ? el("ul", {}, troubles.map((text) => el("li", {}, text))) : "");
  });
  document.getElementById("host-list").append(cards.length ? el("div", { class: "cards" }, cards) : el("p", { class: "muted" }, "No host was connected."));
}

function runFacts() {
  const { run } = model;
  const rows = [["Command", run.command], ["In", run.directory], ["By", run.controller], ["Began", run.time], ["Exit status", run.killed ? "none: it was killed" : `${run.exit} (${run.status})`],
    ["Glusto", run.glusto], ["Python", run.python], ["Run", run.run]];
  const panel = el("div", { class: "panel" }, el("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))])));
  if (run.config) {
    const fold = el("details", {}, el("summary", {}, "The config, secrets masked"));
    unfoldLazily(fold, () => block(JSON.stringify(run.config, null, 2), "the config"));
    panel.append(fold);
  }
  document.getElementById("run-facts").append(panel);
}

const search = { clear() {} };

function startSearch() {
  const field = document.getElementById("search"), told = document.getElementById("found");
  let timer = 0, looked = "";
  const look = () => {
    const query = field.value.trim().toLowerCase();
    clearTimeout(timer);
    looked = query;
    const bars = timeline.find(query);
    tests.found = query ? new Set(timeline.hits.map((bar) => bar.test).filter(Boolean)) : null;
    tests.show();
    told.textContent = query ? `${plural(tests.found.size, "test")}, ${plural(bars, "bar")}` : "";
  };
  search.clear = () => { if (field.value) { field.value = ""; look(); } };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, SEARCH_PAUSE); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { if (looked !== field.value.trim().toLowerCase()) look(); timeline.step(); }
    if (event.key === "Escape") search.clear();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/input|textarea/i.test(document.activeElement.tagName)) { event.preventDefault(); field.focus(); }
  });
}

// #test-12 opens a test, #at-12 shows its stretch of the timeline.
function goTo() {
  const [, where, id] = /^#(test|at)-(\d+)$/.exec(location.hash) || [];
  const test = testById.get(Number(id));
  if (!test) return;
  if (where === "test") tests.open(test); else timeline.follow(test);
}

theme.start();
headline();
glance();
tests.start();
timeline.start();
hostCards();
runFacts();
startSearch();
goTo();
addEventListener("hashchange", goTo);
// A link that is followed again goes there again.
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a[href^='#']");
  if (link && link.getAttribute("href") === location.hash) goTo();
});
