// Reloads the page when what it shows has changed on the server, and counts the seconds that are left.
"use strict";
(function () {
  const page = document.body;
  const address = page.dataset.watch;
  const opened = Date.now();

  function count() {
    for (const shown of document.querySelectorAll("[data-left]")) {
      const left = Number(shown.dataset.left) - Math.floor((Date.now() - opened) / 1000);
      shown.textContent = String(Math.max(0, left));
    }
  }

  // What somebody is typing would be lost by a reload: where that matters, it waits until the field is empty or sent.
  function typing() {
    return Array.from(document.querySelectorAll("input[data-keep]")).some(function (field) {
      return field.value !== field.defaultValue;
    });
  }

  async function look() {
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== page.dataset.version && !typing()) {
        window.location.replace(window.location.pathname + window.location.search);
        return;
      }
    } catch (unreachable) {
      // The simulator may be down on purpose; the next look will tell.
    }
    window.setTimeout(look, 1000);
  }

  if (page.dataset.reload) {
    window.setTimeout(function () { window.location.reload(); }, Number(page.dataset.reload));
  }
  if (address) {
    window.setTimeout(look, 1000);
  }
  if (document.querySelector("[data-left]")) {
    window.setInterval(count, 1000);
  }
})();
