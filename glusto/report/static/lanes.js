// Lanes: the tests, then one for each host. In a lane, bars that overlap in time are in rows below one another.
const ROW = 14, GAP = 2, PAD = 5, MOST_ROWS = 8;

class Row {
  constructor() { this.bars = []; this.ends = []; this.last = -Infinity; }

  add(bar) {
    this.bars.push(bar);
    this.last = Math.max(this.last, bar.end);
    this.ends.push(this.last); // never falls, so that it can be searched
  }

  // The place of the first bar that may end after a time.
  firstAfter(t) {
    let low = 0, high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle] < t) low = middle + 1; else high = middle;
    }
    return low;
  }

  // The bar at a time, or the nearest one that is not further than `slack` from it.
  at(t, slack) {
    let best = null, distance = slack;
    for (let place = this.firstAfter(t - slack); place < this.bars.length; place++) {
      const bar = this.bars[place];
      if (bar.t > t + slack) break;
      const away = bar.t > t ? bar.t - t : bar.end < t ? t - bar.end : 0;
      if (away < distance || (best === null && away <= slack)) { best = bar; distance = away; }
      if (away === 0) return bar;
    }
    return best;
  }
}

class Lane {
  constructor(name, title) { this.name = name; this.title = title; this.rows = []; this.y = 0; }

  get height() { return 2 * PAD + Math.max(this.rows.length, 1) * (ROW + GAP) - GAP; }

  add(bar) {
    let row = this.rows.find((one) => one.last <= bar.t);
    if (!row && this.rows.length < MOST_ROWS) { row = new Row(); this.rows.push(row); }
    if (!row) row = this.rows.reduce((least, one) => (one.last < least.last ? one : least));
    row.add(bar);
  }
}

function makeLanes(bars) {
  const lanes = new Map([["", new Lane("", "tests")]]);
  for (const host of model.hosts) lanes.set(host.name, new Lane(host.name, host.name));
  for (const bar of bars.slice().sort((a, b) => a.t - b.t)) {
    if (!lanes.has(bar.lane)) lanes.set(bar.lane, new Lane(bar.lane, bar.lane));
    lanes.get(bar.lane).add(bar);
  }
  const found = [...lanes.values()];
  let y = 0;
  for (const lane of found) { lane.y = y; y += lane.height; }
  return found;
}

// Where the ticks of a stretch are: at steps of 1, 2 or 5 times a power of ten, or of minutes.
function ticks(from, to, most) {
  const least = (to - from) / most;
  let step = 10 ** Math.floor(Math.log10(least));
  for (const times of [1, 2, 5, 10]) if (step * times >= least) { step *= times; break; }
  if (step > 10) step = [15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => one >= least) || step;
  const found = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) found.push(t);
  return { step, found };
}

function tickText(t, step) {
  if (step >= 15) return `${Math.floor(t / 60)}:${String(Math.round(t % 60)).padStart(2, "0")}`;
  return `${t.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))} s`;
}
