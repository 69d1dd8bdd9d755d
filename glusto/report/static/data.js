"use strict";
// The model, as it was embedded, and what is looked up in it.
const model = JSON.parse(document.getElementById("model").textContent);
const BAD = new Set(["failed", "error", "unfinished", "xpassed"]);
const WORDS = { passed: "passed", failed: "failed", error: "error", skipped: "skipped", xfailed: "failed as expected", xpassed: "passed unexpectedly", unfinished: "did not end" };
const MARKS = { passed: "✓", failed: "✗", error: "✗", skipped: "–", xfailed: "✓", xpassed: "!", unfinished: "…" };

const hostOf = (place) => place.slice(place.lastIndexOf("@") + 1);
const testById = new Map(model.tests.map((test) => [test.id, test]));
const commandsOf = groupBy(model.commands, (command) => command.test);
const transfersOf = groupBy(model.transfers, (transfer) => transfer.test);
const callsOf = groupBy(model.calls, (call) => call[7]);

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item); else groups.set(key(item), [item]);
  }
  return groups;
}

// A call is a list in the model; here is what its places mean.
function callOf([t, seconds, place, instance, what, count, error, test]) {
  return { t, seconds, place: model.texts[place], instance, what: model.texts[what], count, error: error < 0 ? "" : model.texts[error], test };
}

function endOf(item) {
  return item.seconds === undefined || item.seconds === null ? model.seconds : item.t + item.seconds;
}

// What the timeline shows: bars, each with what it stands for as `item`. A bar without an end goes on to the run's.
function makeBars() {
  const bars = [];
  const add = (kind, lane, item, text, bad) => {
    const open = item.seconds === undefined || item.seconds === null;
    bars.push({ kind, lane, item, text, bad: bad || open, open, t: item.t, end: endOf(item), test: item.test || 0, words: null });
  };
  for (const host of model.hosts)
    for (const one of host.opened) add("connect", host.name, one, `connect ${one.place}`, Boolean(one.error));
  for (const one of model.commands) add("command", hostOf(model.texts[one.place]), one, one.command, one.returncode !== 0);
  for (const one of model.transfers) add("transfer", hostOf(model.texts[one.place]), one, `${one.direction} ${one.source} → ${one.target}`, Boolean(one.error));
  for (const one of model.calls) {
    const call = callOf(one);
    add("call", hostOf(call.place), call, call.what, false);
    bars[bars.length - 1].bad = call.error === "no answer" || call.seconds === null;
  }
  for (const one of model.tests) {
    add("test", "", one, one.name.startsWith(one.suite + ".") ? one.name.slice(one.suite.length + 1) : one.name, BAD.has(one.outcome));
    bars[bars.length - 1].test = one.id;
  }
  for (const host of model.hosts)
    for (const one of host.troubles) add("trouble", host.name, { ...one, seconds: 0 }, `${one.kind.replace("_", " ")}: ${one.why}`, true);
  for (const one of model.cleanups) add("cleanup", "", one, `cleaning up after the ${one.what}`, false);
  return bars;
}

// The text that a search looks through, made when it is first needed.
function wordsOf(bar) {
  if (bar.words === null) {
    const { item } = bar;
    const parts = [bar.text, bar.lane, item.stdout, item.stderr, item.error, item.message, item.details, item.suite, bar.kind];
    bar.words = parts.filter(Boolean).join("\n").toLowerCase();
  }
  return bar.words;
}
