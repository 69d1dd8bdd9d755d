// The timeline: a ruler with an overview of the whole run, and the lanes. Only what can be seen is drawn.
const OVERVIEW = 22, RULER = 46, THINNEST = 1.5, LEAST_SPAN = 0.0005, HIT = 4;

const timeline = {
  canvas: document.getElementById("lanes"),
  ruler: document.getElementById("ruler"),
  scroll: document.getElementById("lanes-scroll"),
  tip: document.getElementById("tip"),
  picked: document.getElementById("picked"),
  searching: false,
  chosen: null, // the test whose stretch is marked
  over: null,
  selected: null,
  pointers: new Map(),

  start() {
    this.bars = makeBars();
    this.lanes = makeLanes(this.bars);
    this.total = this.lanes.reduce((sum, lane) => sum + lane.height, 0);
    this.end = Math.max(model.seconds, 0.001) * 1.005;
    this.view = { from: 0, to: this.end };
    this.rest = this.scroll.appendChild(document.createElement("div"));
    this.canvas.style.position = "sticky";
    this.canvas.style.top = "0";
    this.canvas.setAttribute("aria-label", `Timeline of ${plural(model.tests.length, "test")} on ${plural(model.hosts.length, "host")}; the same is in the lists below`);
    document.addEventListener("theme", () => this.takeColors());
    new ResizeObserver(() => this.resize()).observe(document.getElementById("stage"));
    this.scroll.addEventListener("scroll", () => this.redraw());
    listen(this);
    this.takeColors();
    this.resize();
  },

  takeColors() {
    const style = getComputedStyle(document.documentElement);
    this.color = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colors = {};
    for (const kind of ["connect", "command", "call", "transfer", "cleanup", "passed", "bad", "skipped"]) this.colors[kind] = this.color(`bar-${kind}`);
    this.ground = { ink: this.color("ink"), muted: this.color("muted"), line: this.color("line"), stripe: this.color("stripe"), surface: this.color("surface"),
      tint: this.color("accent-tint"), accent: this.color("accent"), onBar: this.color("bar-ink"), dim: this.color("bar-dim"), raised: this.color("raised") };
    if (this.width) this.redraw();
  },

  resize() {
    const scale = window.devicePixelRatio || 1;
    this.width = this.scroll.clientWidth;
    this.gutter = this.width < 560 ? 78 : 132;
    this.height = Math.min(this.total, Math.min(innerHeight * 0.64, 620));
    this.rest.style.height = `${this.total - this.height}px`;
    for (const [canvas, height] of [[this.canvas, this.height], [this.ruler, RULER]]) {
      canvas.style.height = `${height}px`;
      canvas.width = Math.round(this.width * scale);
      canvas.height = Math.round(height * scale);
      canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
    }
    this.redraw();
  },

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  },

  // Times and places

  get right() { return this.width - 10; },
  x(t) { return this.gutter + ((t - this.view.from) / (this.view.to - this.view.from)) * (this.right - this.gutter); },
  t(x) { return this.view.from + ((x - this.gutter) / (this.right - this.gutter)) * (this.view.to - this.view.from); },

  show(from, to) {
    const span = Math.min(Math.max(to - from, LEAST_SPAN), this.end);
    const start = Math.min(Math.max((from + to - span) / 2, 0), this.end - span);
    this.view = { from: start, to: start + span };
    this.redraw();
  },

  zoom(factor, around = (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    const span = Math.min(Math.max((to - from) * factor, LEAST_SPAN), this.end);
    const start = around - ((around - from) / (to - from)) * span;
    this.show(start, start + span);
  },

  pan(share) {
    const move = (this.view.to - this.view.from) * share;
    this.show(this.view.from + move, this.view.to + move);
  },

  fit() { this.show(0, this.end); },

  // Drawing

  draw() {
    const began = performance.now();
    this.drawn = 0;
    this.drawRuler();
    const pen = this.canvas.getContext("2d");
    const offset = this.scroll.scrollTop;
    pen.clearRect(0, 0, this.width, this.height);
    pen.save();
    pen.translate(0, -offset);
    this.drawGround(pen, offset);
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, offset, this.right - this.gutter + 4, this.height);
    pen.clip();
    if (this.chosen) this.drawStretch(pen, this.chosen, this.ground.tint);
    for (const t of this.marks.found) { pen.fillStyle = this.ground.line; pen.fillRect(Math.round(this.x(t)), offset, 1, this.height); }
    pen.font = "10.5px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (const lane of this.lanes) {
      if (lane.y + lane.height < offset || lane.y > offset + this.height) continue;
      lane.rows.forEach((row, place) => this.drawRow(pen, row, lane.y + PAD + place * (ROW + GAP)));
    }
    if (this.selected) this.drawFrame(pen, this.selected);
    pen.restore();
    pen.restore();
    Object.assign(this.canvas.dataset, { from: this.view.from, to: this.view.to, drawn: this.drawn, ms: (performance.now() - began).toFixed(2) });
  },

  drawGround(pen, offset) {
    const { stripe, line, ink, muted } = this.ground;
    pen.textBaseline = "middle";
    this.lanes.forEach((lane, place) => {
      if (lane.y + lane.height < offset || lane.y > offset + this.height) return;
      if (place % 2) { pen.fillStyle = stripe; pen.fillRect(0, lane.y, this.width, lane.height); }
      pen.fillStyle = line;
      pen.fillRect(0, lane.y + lane.height - 1, this.width, 1);
      pen.fillStyle = place ? ink : muted;
      pen.font = `${place ? 500 : 400} 12.5px system-ui, sans-serif`;
      pen.fillText(fitted(pen, lane.title, this.gutter - 20), 12, lane.y + Math.min(lane.height / 2, 14));
    });
  },

  drawStretch(pen, test, color) {
    const from = this.x(test.t), to = this.x(endOf(test));
    pen.fillStyle = color;
    pen.fillRect(from, 0, Math.max(to - from, 2), this.total);
    pen.fillStyle = this.ground.accent;
    pen.fillRect(from, 0, 1, this.total);
    pen.fillRect(Math.max(to, from + 2), 0, 1, this.total);
  },

  drawRow(pen, row, y) {
    const { from, to } = this.view;
    const left = this.gutter - 2, right = this.right + 4;
    let covered = -1, coveredBold = -1;
    for (let place = row.firstAfter(from); place < row.bars.length; place++) {
      const bar = row.bars[place];
      if (bar.t > to) break;
      const dim = this.searching && !bar.hit;
      const bold = !dim && (bar.bad || this.searching);
      const x0 = Math.max(this.x(bar.t), left);
      const x1 = Math.max(Math.min(this.x(bar.end), right), x0 + (bold ? 2 : THINNEST));
      if (x1 <= covered + 0.5 && (!bold || x1 <= coveredBold + 0.5)) continue; // it would not be seen
      covered = Math.max(covered, x1);
      if (bold) coveredBold = x1;
      const wide = x1 - x0;
      pen.fillStyle = dim ? this.ground.dim : this.colorOf(bar);
      if (wide > 6) { pen.beginPath(); pen.roundRect(x0, y, wide - 0.5, ROW, 2.5); pen.fill(); } else pen.fillRect(x0, y, wide, ROW);
      if (wide > 34 && !dim) {
        pen.fillStyle = this.ground.onBar;
        pen.fillText(fitted(pen, bar.bad ? `✗ ${bar.text}` : bar.text, wide - 8), x0 + 4, y + ROW / 2 + 0.5);
      }
      this.drawn++;
    }
  },

  colorOf(bar) {
    if (bar.bad) return this.colors.bad;
    if (bar.kind === "test") return bar.item.outcome === "skipped" ? this.colors.skipped : this.colors.passed;
    return this.colors[bar.kind];
  },

  drawFrame(pen, bar) {
    const lane = this.lanes.find((one) => one.name === bar.lane);
    const place = lane.rows.findIndex((row) => row.bars.includes(bar));
    const x0 = this.x(bar.t), x1 = Math.max(this.x(bar.end), x0 + 3);
    pen.strokeStyle = this.ground.ink;
    pen.lineWidth = 2;
    pen.strokeRect(x0 - 1, lane.y + PAD + place * (ROW + GAP) - 1, x1 - x0 + 2, ROW + 2);
  },

  drawRuler() {
    const pen = this.ruler.getContext("2d");
    const { muted, line, raised, accent, ink } = this.ground;
    pen.clearRect(0, 0, this.width, RULER);
    pen.fillStyle = raised;
    pen.fillRect(this.gutter, 6, this.right - this.gutter, OVERVIEW - 8);
    const over = (t) => this.gutter + (t / this.end) * (this.right - this.gutter);
    for (const bad of [false, true]) {
      let covered = -1;
      for (const test of model.tests) {
        if (BAD.has(test.outcome) !== bad) continue;
        const x0 = over(test.t), x1 = Math.max(over(endOf(test)), x0 + (bad ? 2 : 1));
        if (x1 <= covered + 0.5) continue;
        covered = x1;
        pen.fillStyle = bad ? this.colors.bad : test.outcome === "skipped" ? this.colors.skipped : this.colors.passed;
        pen.fillRect(x0, 6, x1 - x0, OVERVIEW - 8);
      }
    }
    pen.strokeStyle = ink;
    pen.lineWidth = 1.5;
    pen.strokeRect(over(this.view.from) + 0.75, 4.75, Math.max(over(this.view.to) - over(this.view.from) - 1.5, 3), OVERVIEW - 5.5);
    this.marks = ticks(this.view.from, this.view.to, Math.max(Math.floor((this.right - this.gutter) / 90), 2));
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "alphabetic";
    for (const t of this.marks.found) {
      const x = Math.round(this.x(t));
      pen.fillStyle = line;
      pen.fillRect(x, OVERVIEW + 4, 1, RULER);
      pen.fillStyle = muted;
      pen.fillText(tickText(t, this.marks.step), x + 4, RULER - 9);
    }
  },

  // Finding

  barAt(x, y) {
    if (x < this.gutter - HIT) return null;
    const place = y + this.scroll.scrollTop;
    const lane = this.lanes.find((one) => place >= one.y && place < one.y + one.height);
    const row = lane && lane.rows[Math.floor((place - lane.y - PAD + GAP / 2) / (ROW + GAP))];
    return row ? row.at(this.t(x), this.t(HIT) - this.t(0)) : null;
  },

  // Mark what a query finds; returns how many bars that are. With none, all is as before.
  find(query) {
    this.searching = query !== "";
    this.hits = [];
    if (this.searching) for (const bar of this.bars) { bar.hit = wordsOf(bar).includes(query); if (bar.hit) this.hits.push(bar); }
    this.next = -1;
    this.redraw();
    return this.hits.length;
  },

  // Go to what was found, one after the other.
  step() {
    if (!this.hits || !this.hits.length) return;
    this.next = (this.next + 1) % this.hits.length;
    document.getElementById("timeline").scrollIntoView({ block: "start" });
    this.pick(this.hits[this.next], true);
  },

  reveal(bar) {
    const lane = this.lanes.find((one) => one.name === bar.lane);
    if (lane.y < this.scroll.scrollTop || lane.y + lane.height > this.scroll.scrollTop + this.height) this.scroll.scrollTop = lane.y - 20;
    const pad = bar.kind === "test" ? Math.max((bar.end - bar.t) * 0.3, 0.005) : Math.max((bar.end - bar.t) * 2, 0.1);
    this.show(bar.t - pad, bar.end + pad);
  },

  pick(bar, reveal) {
    this.selected = bar;
    if (bar && reveal) this.reveal(bar);
    this.picked.replaceChildren(...(bar ? pickedDetails(bar) : []));
    this.redraw();
  },

  // Go to the stretch of a test.
  follow(test) {
    this.chosen = test;
    search.clear();
    const bar = this.bars.find((one) => one.kind === "test" && one.item === test);
    document.getElementById("timeline").scrollIntoView({ block: "start" });
    this.pick(bar, true);
    this.canvas.focus({ preventScroll: true });
  },
};

function fitted(pen, text, width) {
  if (text.length * 7 < width || pen.measureText(text).width <= width) return text;
  const fits = Math.floor((text.length * width) / pen.measureText(text.slice(0, 400)).width * (Math.min(text.length, 400) / text.length));
  return fits > 3 ? `${text.slice(0, fits - 2)}…` : "";
}
