// The page of the built-in Duo login works without this; with it, nobody has to load it again to learn what became of
// a request. Every sentence stands in the page.
(function () {
  "use strict";
  const EVERY = 2000, SLOWEST = 15000, PATIENCE = 8000, GRACE = 16000;
  const byId = (id) => document.getElementById(id);
  const request = byId("request"), line = byId("line"), said = byId("said"), news = byId("news");
  const text = (name) => line.getAttribute("data-text-" + name);
  const plain = (element) => (element.hidden ? "" : element.textContent.replace(/\s+/g, " ").trim());

  // Reading what went wrong comes before anything else. Browsers that know autofocus for any element did this already.
  const problem = byId("problem");
  if (problem) requestAnimationFrame(() => problem.focus());

  const announce = (sentence) => { if (news.textContent !== sentence) news.textContent = sentence; };

  // Shows how it stands, with what Duo says of it, and announces that if it is news.
  const words = () => [line, said].map((element) => (element ? plain(element) : "")).join(" ").trim();
  let shown = request ? words() : "";
  function say(sentence) {
    line.textContent = sentence;
    if (words() !== shown) announce(words());
    shown = words();
  }

  let stopped = false, flight = new AbortController(), failures = 0, timer;
  function stop() {
    stopped = true;
    clearTimeout(timer);
    flight.abort();
  }

  // A button switched off before the request starts sends nothing. News would lead away from what was just sent.
  let off = [];
  addEventListener("submit", () => {
    stop();
    setTimeout(() => {
      off = [...document.querySelectorAll("button:enabled")];
      for (const button of off) button.disabled = true;
    });
  });

  // The first request goes out by itself: once, not for those who come back, and not while nobody looks.
  let send = byId("send");
  function begin() {
    if (!send || document.hidden) return;
    say(text("sending"));
    send.click();
    send = null;
  }
  document.addEventListener("visibilitychange", begin);
  addEventListener("pageshow", (event) => {
    for (const button of off) button.disabled = false;
    off = [];
    const [how] = performance.getEntriesByType("navigation");
    if (event.persisted || (how && how.type === "back_forward")) send = null;
    begin();
    if (!event.persisted || !request) return;
    stopped = false;
    ask();
  });
  if (!request) return;

  // Time left, and when the request can be sent again: shown every second, said now and then.
  const data = request.dataset, time = byId("time"), left = time.querySelector("p");
  const again = byId("again"), later = byId("again-later"), opened = Date.now();
  const marks = [30, 10].filter((mark) => mark < data.seconds);
  let end = opened + data.seconds * 1000;
  const fill = (element, seconds) => { element.textContent = element.dataset.text.replace("{}", seconds); };
  const until = (moment) => Math.round((moment - Date.now()) / 1000);
  function tick() {
    const seconds = until(end), pause = until(opened + data.againIn * 1000);
    time.hidden = seconds <= 0;
    fill(left, seconds);
    time.querySelector("progress").value = Math.max(0, seconds);
    while (seconds <= marks[0]) announce(text(marks.shift()));
    if (!later || later.hidden) return;
    fill(later, pause);
    if (pause > 0) return;
    later.hidden = true;
    again.disabled = false;
    again.removeAttribute("aria-describedby");
  }
  tick();
  setInterval(tick, 1000);
  if (data.seconds > 0) setTimeout(() => announce(text("begin")), 1000);

  // What Duo said was of the request, not of this.
  function alone(word) {
    said.hidden = true;
    say(text(word));
  }
  function finish() {
    stop();
    alone("over");
    end = data.againIn = 0;
    tick();
  }

  function hear(facts) {
    if (facts.state === "sending" || facts.state === "waiting") {
      // The server counts in whole seconds.
      const told = Date.now() + facts.seconds * 1000;
      if (Math.abs(told - end) > 1500) end = facts.seconds > 0 ? told : Math.min(end, told);
      said.querySelector("bdi").textContent = facts.said;
      said.hidden = !facts.said;
      say(text(facts.status) || line.dataset.text);
      return;
    }
    // A passcode that is being typed is not thrown away for the news that a request came to nothing.
    const field = byId("passcode");
    if (field && field.value && ["denied", "timeout", "gone"].includes(facts.state)) return finish();
    stop();
    if (facts.state === "allowed") alone("allowed");
    location.replace(data.refresh);
  }

  // Phones put a page to sleep while another app is in front, and what it asked for with it: ask anew.
  async function ask() {
    clearTimeout(timer);
    flight.abort();
    const mine = flight = new AbortController();
    if (stopped || document.hidden || !data.status) return;
    if (Date.now() > end + GRACE) return finish();
    const limit = setTimeout(() => mine.abort(), PATIENCE);
    let facts;
    try {
      const answer = await fetch(data.status, { cache: "no-store", signal: mine.signal });
      if (answer.ok) facts = await answer.json();
    } catch {
      // Told below.
    }
    clearTimeout(limit);
    if (stopped || mine !== flight) return;
    failures = facts ? 0 : failures + 1;
    if (facts) hear(facts);
    else alone("lost");
    if (!stopped) timer = setTimeout(ask, Math.min(EVERY * 2 ** failures, SLOWEST) * (1 + Math.random() / 4));
  }
  document.addEventListener("visibilitychange", ask);
  addEventListener("online", ask);
  timer = setTimeout(ask, EVERY);
})();
