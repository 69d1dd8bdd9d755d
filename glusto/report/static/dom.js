// Elements and words. Texts become text nodes, never markup: nothing that was printed anywhere can do anything here.
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 0.1) return `${(seconds * 1e3).toFixed(1)} ms`;
  if (seconds < 1) return `${(seconds * 1e3).toFixed(0)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  const rest = `${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return minutes < 60 ? `${minutes} min ${rest}` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

// A name that may be broken over lines where its words end.
const breakable = (name) => name.split(/(?<=[._])/).flatMap((part) => [part, el("wbr")]);
const number = (value) => value.toLocaleString("en");
const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many || one + "s"}`;

function copyButton(text, label) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${label}` }, "Copy");
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = copyBySelection(text);
    }
    button.textContent = done ? "Copied" : "Can't copy";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}

// For pages opened as files, where browsers may keep the clipboard shut.
function copyBySelection(text) {
  const area = el("textarea", { class: "sr" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function block(text, label, style) {
  return el("div", { class: "with-copy" }, el("pre", { class: style, tabindex: "0" }, text), copyButton(text, label));
}

// A command: what ran where, how it ended, what it printed behind a fold.
function commandLine(command) {
  const over = command.seconds !== undefined;
  const status = !over ? "running" : command.returncode === undefined ? "no result" : `rc ${command.returncode}`;
  const bad = over && command.returncode !== 0;
  const box = el("div", { class: `cmd${bad ? " bad" : ""}${over ? "" : " open"}` },
    el("div", { class: "line" },
      el("span", { class: "host" }, model.texts[command.place]),
      el("span", { class: "text" }, command.command),
      el("span", { class: "end" }, el("span", { class: "rc" }, status), duration(command.seconds), copyButton(command.command, "the command"))));
  if (command.error) box.append(el("pre", { class: "error-text" }, command.error));
  for (const name of ["stdout", "stderr"]) {
    const text = command[name];
    if (!text) continue;
    const lines = text.replace(/\n$/, "").split("\n").length;
    const size = command[`${name}_size`];
    const told = size > text.length ? `${number(size)} characters` : plural(lines, "line");
    const fold = el("details", { open: bad && name === "stderr" }, el("summary", {}, `${name}, ${told}`));
    unfoldLazily(fold, () => block(text, name));
    box.append(fold);
  }
  return box;
}

// What is behind a fold is made when it is first opened.
function unfoldLazily(fold, make) {
  const fill = () => { if (fold.open && fold.children.length === 1) fold.append(make()); };
  fold.addEventListener("toggle", fill);
  fill();
}

// Light or dark: as the system has it, until somebody chooses.
const theme = {
  button: document.getElementById("theme"),
  system: matchMedia("(prefers-color-scheme: dark)"),
  chosen: null,
  start() {
    try { this.chosen = localStorage.getItem("glusto-theme"); } catch { /* no storage for files: fine */ }
    this.system.addEventListener("change", () => this.show());
    this.button.addEventListener("click", () => {
      this.chosen = this.now() === "dark" ? "light" : "dark";
      try { localStorage.setItem("glusto-theme", this.chosen); } catch { /* as above */ }
      this.show();
    });
    this.show();
  },
  now() { return this.chosen || (this.system.matches ? "dark" : "light"); },
  show() {
    document.documentElement.dataset.theme = this.now();
    this.button.textContent = this.now() === "dark" ? "Light theme" : "Dark theme";
    document.dispatchEvent(new Event("theme"));
  },
};
