// The pages about the registry work without this. With it, an entry is checked while somebody types, and leaving a page
// on which something was typed asks first.
(function () {
  "use strict";
  const PAUSE = 600;
  const byId = (id) => document.getElementById(id);

  const problem = byId("problem");
  // Not where somebody has gone on already.
  if (problem && problem.hasAttribute("autofocus")) requestAnimationFrame(() => {
    if (document.activeElement === document.body) problem.focus();
  });

  // What was typed and not sent is not lost by a slip. A page that came back with mistakes holds what was typed, too.
  let typed = Boolean(document.querySelector("form.edit [aria-invalid]"));
  for (const form of document.querySelectorAll("form.edit")) form.addEventListener("input", () => { typed = true; });
  addEventListener("submit", () => { typed = false; });
  addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });

  const once = document.querySelector("form[data-once]");
  if (once) {
    const buttons = once.querySelectorAll("button");
    once.addEventListener("submit", () => setTimeout(() => { for (const button of buttons) button.disabled = true; }));
    addEventListener("pageshow", () => { for (const button of buttons) button.disabled = false; });
  }

  const form = byId("yaml-form"), text = byId("yaml"), lint = byId("lint");
  if (!form || !text || !lint || text.readOnly) return;
  let timer, flight;

  function say(items) {
    const list = document.createElement("ul");
    for (const [level, sentence] of items) {
      const item = document.createElement("li");
      item.className = level;
      item.textContent = sentence;
      list.append(item);
    }
    // What is said already is not said again.
    if (lint.textContent !== list.textContent) lint.replaceChildren(list);
  }

  function told(news) {
    const items = news.findings.map((one) => {
      const where = (one.own || one.about) && one.line ? lint.dataset.line.replace("0", one.line) : "";
      const place = [one.about, where, one.key].filter(Boolean).join(", ");
      return [one.level, place + (place ? ": " : "") + one.message];
    });
    if (news.reason) items.push(["error", news.reason]);
    if (news.stale) items.push(["error", lint.dataset.stale]);
    say(items.length ? items : [["fine", lint.dataset.fine]]);
    text.toggleAttribute("aria-invalid", items.some(([level]) => level === "error"));
    if (text.hasAttribute("aria-invalid")) text.setAttribute("aria-invalid", "true");
  }

  async function check() {
    if (flight) flight.abort();
    flight = new AbortController();
    try {
      const answer = await fetch(form.dataset.lint, {
        method: "POST", body: new URLSearchParams(new FormData(form)), signal: flight.signal, redirect: "error",
      });
      if (!answer.ok) throw new Error(String(answer.status));
      told(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") say([["warning", lint.dataset.gone]]);
    }
  }

  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, PAUSE); });
})();
