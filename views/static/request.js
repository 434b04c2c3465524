// The pages about requests for access work without this. With it, the page of a request follows what becomes of it, and
// goes on to the application once that is open.
(function () {
  "use strict";
  const PATIENCE = 8000, SLOWEST = 60000, MOMENT = 1500;
  const byId = (id) => document.getElementById(id);

  // Reading what went wrong comes before anything else. Browsers that know autofocus for any element did this already.
  const problem = byId("problem");
  if (problem) requestAnimationFrame(() => problem.focus());

  // The server copes with a form that is sent twice, and a person should not have to.
  const once = document.querySelector("form[data-once]");
  if (once) {
    const buttons = once.querySelectorAll("button");
    once.addEventListener("submit", () => setTimeout(() => { for (const button of buttons) button.disabled = true; }));
    addEventListener("pageshow", () => { for (const button of buttons) button.disabled = false; });
  }

  const news = byId("news");
  if (!news || !byId("request")) return;
  let stage, timer, flight, failures = 0, leaving = false;

  const announce = (sentence) => { if (news.textContent !== sentence) news.textContent = sentence; };
  addEventListener("submit", () => { leaving = true; });

  // What is said of the connection stands in the page, once for each loss of it.
  function connected(well) {
    const line = byId("line");
    failures = well ? 0 : failures + 1;
    if (!line) return;
    line.dataset.text = line.dataset.text || line.textContent;
    const sentence = well ? line.dataset.text : line.dataset.textLost;
    if (line.textContent === sentence) return;
    line.textContent = sentence;
    if (!well) announce(sentence);
  }

  // Takes note of what the page says now, and when to ask again.
  function look() {
    const { again, stage: now, status } = byId("request").dataset;
    const line = byId("line");
    if (line) line.hidden = false;
    stage = now;
    if (status) later(again * 1000);
  }

  function later(pause) {
    clearTimeout(timer);
    // The same moment for everybody would be a burst; a server in trouble is asked less and less.
    timer = setTimeout(ask, Math.min(pause * 2 ** Math.min(failures, 8), SLOWEST) * (1 + Math.random() / 4));
  }

  // Puts the page as it is now in place of the old one: all but the region that tells of it.
  async function change() {
    const answer = await fetch(location.pathname, { cache: "no-store", signal: flight.signal });
    if (answer.redirected || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error("page");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const request = fresh.getElementById("request"), main = byId("main");
    // What is for those without a script would be read as if it were for all.
    for (const part of fresh.querySelectorAll("noscript")) part.remove();
    const focused = main.contains(document.activeElement);
    for (const child of [...main.children]) if (child !== news) child.remove();
    for (const child of [...fresh.getElementById("main").children]) if (child.id !== "news") main.append(child);
    document.title = fresh.title;
    if (focused) {
      const heading = main.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus();
    }
    look();
    announce(request.dataset.textSaid);
    const way = byId("continue");
    if (!way) return;
    // Long enough to hear it; whoever presses something meanwhile is not taken along.
    setTimeout(() => { if (!leaving) location.assign(way.href); }, MOMENT);
  }

  async function ask() {
    clearTimeout(timer);
    if (flight) flight.abort();
    const { status, again } = byId("request").dataset;
    // Nobody is told anything while nobody looks; at once when somebody does again.
    if (leaving || document.hidden || !status) return;
    const mine = flight = new AbortController();
    const limit = setTimeout(() => mine.abort(), PATIENCE);
    try {
      const answer = await fetch(status, { cache: "no-store", signal: mine.signal });
      if (!answer.ok) throw new Error("status");
      const facts = await answer.json();
      if (mine !== flight) return;
      connected(true);
      if (facts.stage !== stage) await change();
      else later(facts.again * 1000);
    } catch {
      if (mine !== flight) return;
      connected(false);
      later(again * 1000);
    } finally {
      clearTimeout(limit);
    }
  }

  document.addEventListener("visibilitychange", ask);
  addEventListener("online", ask);
  addEventListener("pageshow", (event) => { if (event.persisted) { leaving = false; ask(); } });
  look();
})();
