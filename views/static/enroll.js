// Enrolment works without this. With it, the page with the code follows what becomes of it and goes on by itself.
(function () {
  "use strict";
  const POLL = 3000;
  const byId = (id) => document.getElementById(id);

  const problem = byId("problem");
  if (problem) requestAnimationFrame(() => problem.focus());

  // Each press makes a code; the server copes with two, and a person should not have to.
  const once = document.querySelector("form[data-once]");
  if (once) {
    const button = once.querySelector("button[type=submit]");
    once.addEventListener("submit", () => setTimeout(() => { button.disabled = true; }));
    window.addEventListener("pageshow", () => { button.disabled = false; });
  }

  const code = byId("code");
  if (!code) return;
  const line = byId("line");
  const news = byId("news");
  const digits = byId("left");
  let end = Date.now() + code.dataset.seconds * 1000;
  let failures = 0;
  let timer = 0;
  let asking = false;
  let leaving = false;

  const text = (name) => line.dataset["text" + name[0].toUpperCase() + name.slice(1)];
  const left = () => Math.max(0, Math.ceil((end - Date.now()) / 1000));

  // What is seen, and what is read aloud: once for each change, never the seconds.
  let said = line.textContent;
  function say(name) {
    if (text(name) === said) return;
    said = line.textContent = news.textContent = text(name);
  }

  function leave(name) {
    if (leaving) return;
    leaving = true;
    say(name);
    location.replace(code.dataset.refresh);
  }

  const marks = [[60, "soon"], [10, "last"]].filter(([at]) => at < left());
  function tick() {
    const seconds = left();
    digits.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    while (marks.length && seconds <= marks[0][0]) news.textContent = text(marks.shift()[1]);
  }

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  async function ask() {
    // Phones stop tabs while the app is open: nothing is asked then, and at once when the page is seen again.
    if (asking || leaving || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(code.dataset.again, {cache: "no-store"});
      if (!answer.ok) throw new Error("status");
      const facts = await answer.json();
      failures = 0;
      if (facts.state !== "waiting") {
        leave(facts.state === "done" ? "done" : "over");
      } else {
        end = Date.now() + facts.seconds * 1000;
        say(facts.trouble ? "trouble" : facts.confirming ? "confirming" : "waiting");
      }
    } catch {
      failures += 1;
      say("lost");
    }
    asking = false;
    // The same moment for everybody would be a burst; a server in trouble is asked less and less.
    if (!leaving) later((POLL + 500 * Math.random()) * Math.min(2 ** failures, 8));
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  news.textContent = text("begin");
  setInterval(tick, 500);
  tick();
  later(POLL);
})();
