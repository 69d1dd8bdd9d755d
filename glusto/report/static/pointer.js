// What pointers, wheels and keys do to the timeline, and what is told of a bar.
const KINDS = { connect: "Connection", command: "Command", call: "RPyC", transfer: "Transfer", test: "Test", cleanup: "Cleanup", trouble: "Trouble" };
const LABEL_LENGTH = 240;

function listen(timeline) {
  const { canvas, ruler, pointers } = timeline;
  let moved = 0, pinch = 0;

  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) { hover(timeline, event); return; }
    pointers.set(event.pointerId, event);
    if (pointers.size === 2) {
      const [one, two] = [...pointers.values()].map((each) => each.offsetX);
      const apart = Math.max(Math.abs(one - two), 10);
      if (pinch) timeline.zoom(pinch / apart, timeline.t((one + two) / 2));
      pinch = apart;
      moved = Infinity;
      return;
    }
    moved += Math.abs(event.offsetX - before.offsetX) + Math.abs(event.offsetY - before.offsetY);
    if (moved > HIT) {
      const share = (before.offsetX - event.offsetX) / (timeline.right - timeline.gutter);
      timeline.pan(share);
      timeline.scroll.scrollTop += event.pointerType === "mouse" ? before.offsetY - event.offsetY : 0;
      timeline.tip.hidden = true;
    }
  });
  const ended = (event) => {
    if (pointers.delete(event.pointerId) && event.type === "pointerup" && moved <= HIT) timeline.pick(timeline.barAt(event.offsetX, event.offsetY));
    pinch = 0;
  };
  canvas.addEventListener("pointerup", ended);
  canvas.addEventListener("pointercancel", ended);
  canvas.addEventListener("pointerleave", () => { timeline.tip.hidden = true; });
  canvas.addEventListener("dblclick", (event) => timeline.zoom(0.4, timeline.t(event.offsetX)));
  canvas.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) timeline.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 180))), timeline.t(event.offsetX));
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) timeline.pan((event.deltaX || event.deltaY) / timeline.width);
    else return;
    event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: () => timeline.pan(-0.2), ArrowRight: () => timeline.pan(0.2), "+": () => timeline.zoom(0.6), "=": () => timeline.zoom(0.6),
      "-": () => timeline.zoom(1 / 0.6), 0: () => timeline.fit(), Escape: () => { timeline.chosen = null; timeline.pick(null); } };
    const scrolls = { ArrowUp: -60, ArrowDown: 60 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (steps[event.key]) steps[event.key]();
    else if (scrolls[event.key] && timeline.total > timeline.height) timeline.scroll.scrollTop += scrolls[event.key];
    else return;
    event.preventDefault();
  });

  // On the overview: put the view there.
  const center = (event) => {
    const t = ((event.offsetX - timeline.gutter) / (timeline.right - timeline.gutter)) * timeline.end;
    const half = (timeline.view.to - timeline.view.from) / 2;
    timeline.show(t - half, t + half);
  };
  ruler.addEventListener("pointerdown", (event) => { ruler.setPointerCapture(event.pointerId); center(event); });
  ruler.addEventListener("pointermove", (event) => { if (event.buttons) center(event); });

  document.getElementById("zoom-in").addEventListener("click", () => timeline.zoom(0.5));
  document.getElementById("zoom-out").addEventListener("click", () => timeline.zoom(2));
  document.getElementById("zoom-fit").addEventListener("click", () => timeline.fit());
}

function hover(timeline, event) {
  const bar = timeline.barAt(event.offsetX, event.offsetY);
  timeline.canvas.classList.toggle("over", Boolean(bar));
  timeline.tip.hidden = !bar;
  if (!bar) return;
  if (bar !== timeline.over || !timeline.tip.childNodes.length) timeline.tip.replaceChildren(...tipOf(bar));
  timeline.over = bar;
  const stage = document.getElementById("stage").getBoundingClientRect();
  const x = event.clientX - stage.left, y = event.clientY - stage.top;
  const { offsetWidth: wide, offsetHeight: high } = timeline.tip;
  timeline.tip.style.left = `${Math.max(4, Math.min(x + 14, stage.width - wide - 6))}px`;
  timeline.tip.style.top = `${y + 20 + high > stage.height ? Math.max(y - high - 12, 2) : y + 20}px`;
}

function statusOf(bar) {
  const { item } = bar;
  if (bar.kind === "test") return WORDS[item.outcome];
  if (bar.open) return "no end";
  if (item.error) return item.error;
  if (bar.kind === "command") return item.returncode === undefined ? "no result" : `returncode ${item.returncode}`;
  return bar.kind === "call" && item.count > 1 ? plural(item.count, "call") : "";
}

function whereOf(bar) {
  const { item } = bar;
  const place = typeof item.place === "number" ? model.texts[item.place] : item.place || "";
  return bar.kind === "call" ? `${place}:${item.instance}` : place;
}

function tipOf(bar) {
  const test = bar.kind !== "test" && testById.get(bar.test);
  const text = bar.text.length > LABEL_LENGTH ? `${bar.text.slice(0, LABEL_LENGTH)}…` : bar.text;
  const told = [KINDS[bar.kind], whereOf(bar), statusOf(bar), bar.kind === "trouble" ? "" : duration(bar.end - bar.t), `at ${bar.t.toFixed(3)} s`].filter(Boolean);
  return [el("b", {}, text), el("span", {}, told.join(" · ")), test ? el("div", {}, `in ${test.name}`) : ""];
}

// What is below the timeline for the bar that was clicked.
function pickedDetails(bar) {
  const { item } = bar;
  const test = testById.get(bar.test);
  const close = el("button", { type: "button", class: "quiet", onclick: () => { timeline.chosen = null; timeline.pick(null); } }, "Close");
  const links = el("div", { class: "actions" }, test ? el("a", { href: `#test-${test.id}` }, bar.kind === "test" ? "All of this test" : `The test: ${test.name}`) : "", close);
  const head = el("h3", {}, `${KINDS[bar.kind]}${whereOf(bar) ? ` on ${whereOf(bar)}` : ""}, ${bar.t.toFixed(3)} s into the run`);
  if (bar.kind === "command") return [head, commandLine(item), links];
  if (bar.kind === "transfer") return [head, transferLine(item), links];
  const told = [statusOf(bar), bar.kind === "trouble" ? "" : duration(bar.end - bar.t)].filter(Boolean).join(", ");
  const parts = [head, el("div", { class: "mono" }, bar.kind === "test" ? item.name : bar.text), el("p", { class: bar.bad ? "bad" : "muted" }, told)];
  if (bar.kind === "test" && item.message) parts.push(block(item.message, "the message", BAD.has(item.outcome) ? "error-text" : ""));
  return [...parts, links];
}
